import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Every way in which a Java program waits: Waits CASE UNIT SLACK, in seconds. See python/units.py. */
public class Waits {
    static double unit;
    static double slack;

    static class Watch {
        private long wall;
        private long mono;

        Watch() {
            restart();
        }

        void restart() {
            wall = System.currentTimeMillis();
            mono = System.nanoTime();
        }

        void expect(String what, int units) {
            double mono = (System.nanoTime() - this.mono) / 1e9;
            double wall = (System.currentTimeMillis() - this.wall) / 1e3;
            double late = mono - units * unit;
            String verdict = "in time";
            if (Math.abs(wall - mono) > Math.max(slack, 0.05)) {
                verdict = "wall clock says " + wall + ", nanoTime " + mono;
            } else if (late < 0) {
                verdict = -late + " s early";
            } else if (late > slack) {
                verdict = late + " s late";
            }
            System.out.println(what + ": " + units + " units, " + verdict);
        }
    }

    static long millis(int units) {
        return Math.round(units * unit * 1e3);
    }

    static long nanos(int units) {
        return Math.round(units * unit * 1e9);
    }

    static Thread after(int units, Runnable action) {
        Thread thread = new Thread(() -> {
            try {
                Thread.sleep(millis(units));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            action.run();
        });
        thread.start();
        return thread;
    }

    static void sleep() throws Exception {
        Watch watch = new Watch();
        Thread.sleep(millis(1));
        watch.expect("Thread.sleep", 1);

        watch.restart();
        Thread sleeper = after(3, () -> { });
        sleeper.join(millis(1));
        watch.expect("join timed out " + sleeper.isAlive(), 1);
        sleeper.join();
        watch.expect("joined", 3);

        watch.restart();
        Thread self = Thread.currentThread();
        Thread interrupter = after(2, self::interrupt);
        try {
            Thread.sleep(millis(9));
        } catch (InterruptedException e) {
            watch.expect("interrupted", 2);
        }
        interrupter.join();
    }

    /** parkNanos may return spuriously, so both halves park until their condition holds, as users must. */
    static void park() throws Exception {
        Watch watch = new Watch();
        long deadline = System.nanoTime() + nanos(1);
        for (long left = nanos(1); left > 0; left = deadline - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
        watch.expect("parkNanos", 1);

        boolean[] permitted = new boolean[1];
        Thread self = Thread.currentThread();
        watch.restart();
        Thread unparker = after(2, () -> {
            synchronized (permitted) {
                permitted[0] = true;
            }
            LockSupport.unpark(self);
        });
        for (boolean done = false; !done;) {
            LockSupport.parkNanos(nanos(9));
            synchronized (permitted) {
                done = permitted[0];
            }
        }
        watch.expect("unparked", 2);
        unparker.join();
    }

    static void scheduled() throws Exception {
        ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
        Watch watch = new Watch();
        String answer = executor.schedule(() -> "ran", nanos(2), TimeUnit.NANOSECONDS).get();
        watch.expect("schedule " + answer, 2);

        CountDownLatch ticks = new CountDownLatch(3);
        watch.restart();
        executor.scheduleAtFixedRate(ticks::countDown, nanos(1), nanos(1), TimeUnit.NANOSECONDS);
        ticks.await();
        watch.expect("scheduleAtFixedRate", 3);

        watch.restart();
        boolean open = new CountDownLatch(1).await(nanos(1), TimeUnit.NANOSECONDS);
        watch.expect("latch " + open, 1);

        watch.restart();
        Object item = new LinkedBlockingQueue<>().poll(nanos(1), TimeUnit.NANOSECONDS);
        watch.expect("queue " + item, 1);
        executor.shutdownNow();
        System.out.println("terminated: " + executor.awaitTermination(nanos(1), TimeUnit.NANOSECONDS));
    }

    static void monitor() throws Exception {
        Object monitor = new Object();
        Watch watch = new Watch();
        synchronized (monitor) {
            monitor.wait(millis(1));
        }
        watch.expect("Object.wait timed out", 1);

        boolean[] notified = new boolean[1];
        watch.restart();
        Thread notifier = after(2, () -> {
            synchronized (monitor) {
                notified[0] = true;
                monitor.notifyAll();
            }
        });
        synchronized (monitor) {
            while (!notified[0]) {
                monitor.wait(millis(9));
            }
        }
        watch.expect("Object.wait notified", 2);
        notifier.join();

        // Entering a monitor whose owner sleeps.
        CountDownLatch entered = new CountDownLatch(1);
        watch.restart();
        Thread owner = new Thread(() -> {
            synchronized (monitor) {
                entered.countDown();
                try {
                    Thread.sleep(millis(2));
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        });
        owner.start();
        entered.await();
        synchronized (monitor) {
            watch.expect("monitor entered", 2);
        }
        owner.join();
    }

    static void socket() throws Exception {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        try (ServerSocket listener = new ServerSocket(0, 1, loopback)) {
            try (Socket client = new Socket(loopback, listener.getLocalPort());
                    Socket server = listener.accept()) {
                client.setSoTimeout((int) millis(1));
                Watch watch = new Watch();
                try {
                    client.getInputStream().read();
                } catch (SocketTimeoutException e) {
                    watch.expect("read timed out", 1);
                }
                client.setSoTimeout((int) millis(9));
                watch.restart();
                Thread writer = after(2, () -> {
                    try {
                        server.getOutputStream().write('x');
                    } catch (java.io.IOException e) {
                        throw new AssertionError(e);
                    }
                });
                int data = client.getInputStream().read();
                watch.expect("read " + (char) data, 2);
                writer.join();
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        unit = Double.parseDouble(arguments[1]);
        slack = Double.parseDouble(arguments[2]);
        switch (arguments[0]) {
            case "sleep" -> sleep();
            case "park" -> park();
            case "scheduled" -> scheduled();
            case "monitor" -> monitor();
            case "socket" -> socket();
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }
}
