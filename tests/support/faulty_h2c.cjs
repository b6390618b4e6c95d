// HTTP/2 in the clear: a server whose paths fail, and in another process (`client`) what meets them. A JSON line each.
const http2 = require('http2')
const [role, port, rounds] = process.argv.slice(2)

if (role === 'server') {
  const server = http2.createServer()
  server.on('stream', (stream, headers) => {
    const path = headers[':path']
    stream.on('error', () => {})
    if (path === '/rst') return void stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
    if (path === '/refused') return void stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
    if (path === '/503') { stream.respond({':status': 503}); return void stream.end('no') }
    if (path === '/fin') return void setTimeout(() => kill(stream), 100)
    if (path === '/reset') return void setTimeout(() => reset(stream), 100)
    if (path === '/cut') { stream.respond({':status': 200}); stream.write('c'.repeat(2000)); return void setTimeout(() => kill(stream), 100) }
    if (path === '/slow') return
    stream.respond({':status': 200}); stream.end('ok')
  })
  server.on('session', session => session.on('error', () => {}))
  const raw = new Set()
  server.on('connection', socket => { raw.add(socket); socket.on('close', () => raw.delete(socket)); socket.on('error', () => {}) })
  const of = stream => [...raw].find(socket => socket.remotePort === stream.session.socket.remotePort)
  const kill = stream => of(stream)?.destroy()
  const reset = stream => of(stream)?.resetAndDestroy()
  server.listen(+port, '127.0.0.1')
} else {
  const meet = (path, causes) => new Promise(done => {
    const session = http2.connect('http://127.0.0.1:' + port)
    session.on('error', () => {}); session.on('close', done)
    session.on('connect', (s, socket) => {
      console.log(JSON.stringify([socket.localPort, causes, Date.now() / 1000]))
      const stream = session.request({':path': path, 'x-padding': 'p'.repeat(80)})
      stream.on('error', () => {}); stream.resume(); stream.end()
      stream.on('close', () => session.destroy())
      setTimeout(() => session.destroy(), path === '/slow' ? 700 : 5000).unref()
    })
  })
  const had = ['reset_after_processing', 'unread_data', 'request_abandoned', 'stream_reset', 'crash', 'process_ended']
  ;(async () => { for (let n = 0; n < rounds; n++) {
    await meet('/rst', ['stream_reset']); await meet('/refused', ['stream_reset']); await meet('/503', ['error_response'])
    await meet('/fin', had); await meet('/reset', had); await meet('/cut', ['response_cut', 'stream_reset'])
    await meet('/slow', ['slow_response', 'client_aborted'])
  } })()
}
