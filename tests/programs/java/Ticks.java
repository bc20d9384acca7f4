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
                    // The timer counts whole milliseconds of the time of day, so a part of one may be missing.
                    long passed = System.nanoTime() - started + 1_000_000;
                    System.out.println("five ticks after " + passed / 60_000_000_000L + " minutes");
                    timer.cancel();
                }
            }
        }, 60_000, 60_000);
    }
}
