// Apache HttpClient 4 and 5 and OkHttp 3, as Debian packages them, beside the JDK's own clients.

import java.util.Map;
import java.util.concurrent.TimeUnit;

public class MoreJavaClients {
    static void hc4(String url, int times) throws Exception {
        var config = org.apache.http.client.config.RequestConfig.custom().setSocketTimeout(1000).setConnectTimeout(1000).build();
        try (var client = org.apache.http.impl.client.HttpClients.custom().setDefaultRequestConfig(config).disableAutomaticRetries()
            .setSSLContext(JavaClients.trusting()).setSSLHostnameVerifier((h, s) -> true).build()) {
            for (int i = 0; i < times; i++) {
                var post = new org.apache.http.client.methods.HttpPost(url);
                post.setEntity(new org.apache.http.entity.StringEntity("x"));
                try (var response = client.execute(post)) {
                    org.apache.http.util.EntityUtils.toString(response.getEntity());
                }
            }
        }
    }

    static void hc5(String url, int times) throws Exception {
        var config = org.apache.hc.client5.http.config.RequestConfig.custom()
            .setResponseTimeout(1, TimeUnit.SECONDS).build();
        try (var client = org.apache.hc.client5.http.impl.classic.HttpClients.custom().setDefaultRequestConfig(config)
            .disableAutomaticRetries().build()) {
            for (int i = 0; i < times; i++) {
                var post = new org.apache.hc.client5.http.classic.methods.HttpPost(url);
                post.setEntity(new org.apache.hc.core5.http.io.entity.StringEntity("x"));
                client.execute(post, response -> org.apache.hc.core5.http.io.entity.EntityUtils.toString(response.getEntity()));
            }
        }
    }

    static void okhttp(String url, int times) throws Exception {
        var client = new okhttp3.OkHttpClient.Builder().readTimeout(1, TimeUnit.SECONDS).retryOnConnectionFailure(false).build();
        for (int i = 0; i < times; i++) {
            var body = okhttp3.RequestBody.create(okhttp3.MediaType.parse("text/plain"), "x");
            try (var response = client.newCall(new okhttp3.Request.Builder().url(url).post(body).build()).execute()) {
                response.body().string();
            }
        }
    }

    static void add(Map<String, JavaClients.Client> clients) {
        clients.put("hc4", MoreJavaClients::hc4);
        clients.put("hc5", MoreJavaClients::hc5);
        clients.put("okhttp", MoreJavaClients::okhttp);
    }
}
