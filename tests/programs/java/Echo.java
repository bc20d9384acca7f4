import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** Prints its port, then sends back what comes on one connection. */
public class Echo {
    public static void main(String[] args) throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            System.out.println(listener.getLocalPort());
            try (Socket client = listener.accept()) {
                client.setTcpNoDelay(true);
                client.getInputStream().transferTo(client.getOutputStream());
            }
        }
    }
}
