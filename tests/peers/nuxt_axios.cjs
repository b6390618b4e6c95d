// The client that @nuxtjs/axios makes for `axios: { retry: true }` in nuxt.config.js: the module and its plugin as they are,
// with the little of Nuxt 2 that they use. `plugged(folder)` returns what the plugin passes to axios-retry, and a maker of clients.
const fs = require("fs");
const { createRequire } = require("module");

exports.plugged = (folder) => {
  const path = createRequire(folder + "/").resolve("@nuxtjs/axios");
  const load = createRequire(path);
  const added = [];
  const nuxt = { options: { axios: { retry: true }, build: {} } };
  load(path).call({ nuxt, options: {}, addPlugin: (plugin) => added.push(plugin), requireModule: () => {} });
  const [{ src, options }] = added;
  const passed = [];
  const modules = (name) => (name === "axios-retry" ? recorded(load(name), passed) : load(name));
  const plugin = evaluated(rendered(fs.readFileSync(src, "utf8"), options), modules);
  return { passed, make: () => { let made; plugin({}, (_, axios) => { made = axios; }); return made; } };
};

function recorded(original, passed) {
  const axiosRetry = original.default || original;
  return (axios, settings) => { passed.push(settings); return axiosRetry(axios, settings); };
}

// Nuxt's builder renders plugins with lodash.template, and `serialize` from serialize-javascript: JSON serves here.
function rendered(template, options) {
  const parts = template.split(/<%(=?)([^]*?)%>/);
  let code = "let out = '';\n";
  for (let index = 0; index < parts.length; index += 3) {
    code += `out += ${JSON.stringify(parts[index])};\n`;
    if (index + 2 < parts.length) code += parts[index + 1] ? `out += ${parts[index + 2]};\n` : `${parts[index + 2]}\n`;
  }
  return new Function("options", "serialize", "devalue", code + "return out;")(options, JSON.stringify, JSON.stringify);
}

// ES modules' imports and export as Nuxt's webpack resolves them on the server.
function evaluated(code, modules) {
  const named = code.replace(/import (\w+) from '([^']+)'/g, "const $1 = modules('$2')").replace("export default", "exported.plugin =");
  const exported = {};
  const serverSide = Object.create(process, { server: { value: true }, browser: { value: false } });
  new Function("modules", "exported", "process", named)(modules, exported, serverSide);
  return exported.plugin;
}

if (require.main === module) {
  const { passed, make } = exports.plugged(process.argv[2]);
  make();
  process.stdout.write(JSON.stringify(passed) + "\n");
}
