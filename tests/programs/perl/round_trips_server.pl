# Answers 50 lines on one connection, with a nap before each answer: round_trips_server.pl PORT_FILE UNIT.
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes;

my ($port_file, $unit) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die $!;
open(my $file, ">", "$port_file.new") or die $!;
print $file $listener->sockport, "\n";
close($file);
rename("$port_file.new", $port_file) or die $!;

my $client = $listener->accept or die $!;
for (1 .. 50) {
    defined(my $line = <$client>) or die "the client went away";
    Time::HiRes::sleep($unit);
    print $client $line;
    $client->flush;
}
