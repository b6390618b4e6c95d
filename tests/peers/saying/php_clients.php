<?php
// What PHP says: php_clients.php '[["fin", "http://..."], ...]'; a JSON line for each failure.
ini_set("default_socket_timeout", "1");
$said = [];
set_error_handler(function ($level, $message, $file, $line) use (&$said) {
    $said[] = "PHP Warning:  $message in /srv/app/client.php on line $line";
    return true;
});
foreach (json_decode($argv[1]) as [$way, $url]) {
    $said = [];
    $tls = ["verify_peer" => false, "verify_peer_name" => false];
    $http = ["method" => "POST", "content" => "x", "ignore_errors" => true, "header" => "Content-Type: text/plain"];
    file_get_contents($url, false, stream_context_create(["http" => $http, "ssl" => $tls]));
    if ($said) echo json_encode(["program" => "php", "way" => $way, "said" => [implode("\n", $said)]]), "\n";
    $curl = curl_init($url);
    curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_POSTFIELDS => "x", CURLOPT_TIMEOUT => 1,
        CURLOPT_SSL_VERIFYPEER => false, CURLOPT_SSL_VERIFYHOST => 0]);
    for ($i = 0; $i < ($way == "second" ? 2 : 1); $i++) {
        if (curl_exec($curl) === false) {
            $error = "cURL error " . curl_errno($curl) . ": " . curl_error($curl);
            $guzzle = "PHP Fatal error:  Uncaught GuzzleHttp\\Exception\\ConnectException: $error (see https://curl.haxx.se/libcurl/c/libcurl-errors.html) for $url";
            echo json_encode(["program" => "php-curl", "way" => $way, "said" => [$error, $guzzle]]), "\n";
        }
    }
}
