# What Ruby's Net::HTTP says: ruby_clients.rb '[["fin", "http://..."], ...]'; a JSON line for each failure.
require "json"
require "net/http"
require "openssl"

JSON.parse(ARGV[0]).each do |way, url|
  uri = URI(url)
  begin
    options = { use_ssl: uri.scheme == "https", verify_mode: OpenSSL::SSL::VERIFY_NONE, open_timeout: 1, read_timeout: 1 }
    Net::HTTP.start(uri.host, uri.port, **options) do |http|
      (way == "second" ? 2 : 1).times { http.post(uri.path, "x") }
    end
  rescue StandardError, SystemCallError => e
    said = [e.full_message(highlight: false), "#{e.class}: #{e.message}"]
    puts JSON.generate(program: "ruby", way: way, said: said)
  end
end
