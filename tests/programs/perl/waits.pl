# Every way in which a Perl program waits: waits.pl CASE UNIT SLACK, in seconds. See python/units.py.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(CLOCK_MONOTONIC CLOCK_REALTIME clock_gettime clock_nanosleep nanosleep usleep);

my ($case, $unit, $slack) = @ARGV;
my ($wall, $mono);
$| = 1;

sub restart { ($wall, $mono) = (clock_gettime(CLOCK_REALTIME), clock_gettime(CLOCK_MONOTONIC)) }

sub expect {
    my ($what, $units) = @_;
    my $m = clock_gettime(CLOCK_MONOTONIC) - $mono;
    my $w = clock_gettime(CLOCK_REALTIME) - $wall;
    my $late = $m - $units * $unit;

    # Times are doubles here: far from the epoch their grain is a fraction of a microsecond.
    my $verdict
        = abs($w - $m) > ($slack > 0.05 ? $slack : 0.05) ? "wall clock says $w, monotonic clock $m"
        : $late < -1e-6       ? -$late . " s early"
        : $late > $slack      ? "$late s late"
        :                       "in time";
    print "$what: $units units, $verdict\n";
}

my %cases = (
    sleep => sub {
        restart();
        Time::HiRes::sleep($unit);
        expect("sleep", 1);
        restart();
        usleep($unit * 1e6);
        expect("usleep", 1);
        restart();
        nanosleep($unit * 1e9);
        expect("nanosleep", 1);
        restart();
        clock_nanosleep(CLOCK_REALTIME, $unit * 1e9);
        expect("clock_nanosleep", 1);
    },

    # The built-in sleep counts whole seconds, so this case has units of its own.
    seconds => sub {
        ($unit, $slack) = (int($unit) || 1, $slack);
        restart();
        my $slept = sleep $unit;
        expect("slept all of it: " . ($slept >= $unit), 1);
    },
    select => sub {
        restart();
        select(undef, undef, undef, $unit);
        expect("four-argument select", 1);
        my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die $!;
        restart();
        my @ready = IO::Select->new($listener)->can_read($unit);
        expect("can_read " . @ready, 1);
    },
    fork => sub {
        restart();
        my @pids = map {
            my $units = $_;
            my $pid = fork // die $!;
            if (!$pid) { Time::HiRes::sleep($units * $unit); exit $units }
            $pid;
        } 2, 3, 1;
        my @codes;
        for (@pids) { my $pid = wait; push @codes, $? >> 8 }
        expect("children in order @codes", 3);
        restart();
        my $line = `sleep @{[2 * $unit]}; echo done`;
        expect("backquotes $line" =~ s/\n//r, 2);
    },
);
$cases{$case}->();
