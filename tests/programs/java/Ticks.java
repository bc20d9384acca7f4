import java.util.Timer;
import java.util.TimerTask;

/** A java.util.Timer that ticks five times, a minute apart. */
class Ticks {
    public static void main(String[] arguments) {
        Timer timer = new Timer();
        long started = System.nanoTime();
        timer.scheduleAtFixedRate(new TimerTask() {
            private int ticks;

            @Override
            public void run() {
                if (++ticks == 5) {
                    System.out.println("five ticks after " + (System.nanoTime() - started) / 60_000_000_000L + " minutes");
                    timer.cancel();
                }
            }
        }, 60_000, 60_000);
    }
}
