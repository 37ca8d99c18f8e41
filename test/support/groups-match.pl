# Matches as Kamailio's pcre_match_group does. First argument: the file of groups; lines of standard input: the number of
# a group and a message in hexadecimal digits; lines of standard output: 1 or 0, or with a second argument the
# seconds of processor time that it took: the least of three times, or the first that was no more than that argument. (Two groups may have one name without being asked.)
use strict;
use warnings FATAL => 'all';
use Time::HiRes qw(clock_gettime CLOCK_PROCESS_CPUTIME_ID);
my (@groups, @lines);
open(my $file, '<', $ARGV[0]) or die "$ARGV[0]: $!";
while (my $line = <$file>) {
	next if $line =~ /^(\s|#)/;
	if ($line =~ /^\[\d+\]$/) { push @groups, []; next; }
	die 'a line longer than the module reads' if length($line) > 495;
	chomp $line;
	push @{ $groups[-1] }, "($line)";
}
my @expressions;
# Each when it is asked for first: to compile all of them takes longer than to match.
sub expression {
	my ($number) = @_;
	return $expressions[$number] //= do { my $text = join('|', @{ $groups[$number] }); $text =~ s/\(\?J\)//; qr/($text)/i };
}
$| = 1;
while (my $line = <STDIN>) {
	my ($number, $hex) = split(' ', $line);
	my $message = pack('H*', $hex // '');
	my $expression = expression($number);
	if (@ARGV == 1) { print $message =~ $expression ? "1\n" : "0\n"; next; }
	my $least;
	for (my $times = 0; $times < 3 && (!defined $least || $least > $ARGV[1]); $times++) {
		my $begun = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
		my $found = $message =~ $expression;
		my $cost = clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $begun;
		$least = $cost if !defined $least || $cost < $least;
	}
	printf "%.9f\n", $least;
}
