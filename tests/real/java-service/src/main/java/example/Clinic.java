package example;

import com.google.gson.Gson;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Answers with the list of patients. */
public final class Clinic {
	private Clinic() {
	}

	public static void main(String[] args) throws Exception {
		int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));
		HttpServer server = HttpServer.create(new InetSocketAddress("0.0.0.0", port), 0);
		byte[] page = new Gson().toJson(Map.of("patients", List.of("Leo", "Basil"))).getBytes(StandardCharsets.UTF_8);
		server.createContext("/patients", exchange -> {
			exchange.sendResponseHeaders(200, page.length);
			exchange.getResponseBody().write(page);
			exchange.close();
		});
		server.start();
	}
}
