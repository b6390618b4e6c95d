// What Java's HTTP clients say: JavaClients WAY URL ...; a JSON line for each failure.

import java.io.*;
import java.net.*;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.*;
import javax.net.ssl.*;

public class JavaClients {
    static final int TIMEOUT_MS = 1000;

    interface Client {
        void ask(String url, int times) throws Exception;
    }

    static void urlConnection(String url, int times) throws Exception {
        for (int i = 0; i < times; i++) {
            HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
            connection.setReadTimeout(TIMEOUT_MS);
            connection.setConnectTimeout(TIMEOUT_MS);
            connection.setDoOutput(true);
            connection.getOutputStream().write('x');
            connection.getInputStream().readAllBytes();
        }
    }

    static void jdk(String url, int times) throws Exception {
        var builder = java.net.http.HttpClient.newBuilder().sslContext(trusting());
        var client = builder.version(java.net.http.HttpClient.Version.HTTP_1_1).build();
        for (int i = 0; i < times; i++) {
            var request = java.net.http.HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofMillis(TIMEOUT_MS))
                .POST(java.net.http.HttpRequest.BodyPublishers.ofString("x")).build();
            client.send(request, java.net.http.HttpResponse.BodyHandlers.ofString());
        }
    }

    static SSLContext trusting() throws Exception {
        TrustManager all = new X509ExtendedTrustManager() {
            public void checkClientTrusted(X509Certificate[] c, String s, Socket k) {}
            public void checkServerTrusted(X509Certificate[] c, String s, Socket k) {}
            public void checkClientTrusted(X509Certificate[] c, String s, SSLEngine e) {}
            public void checkServerTrusted(X509Certificate[] c, String s, SSLEngine e) {}
            public void checkClientTrusted(X509Certificate[] c, String s) {}
            public void checkServerTrusted(X509Certificate[] c, String s) {}
            public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
        };
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {all}, null);
        return context;
    }

    static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < ' ' || c > '~') out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }

    public static void main(String[] words) throws Exception {
        SSLContext.setDefault(trusting());
        HttpsURLConnection.setDefaultHostnameVerifier((host, session) -> true);
        Map<String, Client> clients = new LinkedHashMap<>();
        clients.put("urlconnection", JavaClients::urlConnection);
        clients.put("jdk", JavaClients::jdk);
        for (String name : new String[] {"MoreJavaClients"}) {
            try {
                var more = Class.forName(name).getDeclaredMethod("add", Map.class);
                more.invoke(null, clients);
            } catch (ClassNotFoundException none) {
                // its libraries are not installed
            }
        }
        for (int i = 0; i + 1 < words.length; i += 2) {
            for (var entry : clients.entrySet()) {
                try {
                    entry.getValue().ask(words[i + 1], words[i].equals("second") ? 2 : 1);
                } catch (Throwable error) {
                    StringWriter trace = new StringWriter();
                    error.printStackTrace(new PrintWriter(trace));
                    System.out.println("{\"program\": " + quoted(entry.getKey()) + ", \"way\": " + quoted(words[i])
                        + ", \"said\": [" + quoted(trace.toString()) + ", " + quoted(error.toString()) + "]}");
                }
            }
        }
        System.exit(0);
    }
}
