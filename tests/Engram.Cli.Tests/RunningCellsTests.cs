using Engram.Cli.Progress;

namespace Engram.Cli.Tests;

public class RunningCellsTests
{
    [Theory]
    [InlineData("Text", "  1 of 3, 1:00 to go: b at 50 %\n")]
    [InlineData("Json", "{\"event\":\"progress\",\"fraction\":0.5,\"secondsToGo\":60,\"running\":{\"b\":0.5}}\n")]
    [InlineData("None", "")]
    public void A_log_sees_from_time_to_time_what_is_running(string form, string expected)
    {
        var clock = new TimerClock();
        using var output = new StringWriter { NewLine = "\n" };
        using var cells = new RunningCells(new CliHost(output, TextWriter.Null, CliHost.Plain(output), false, clock, default), Enum.Parse<RunningCells.Form>(form), 3, 0, () => "1 of 3");
        cells.Progress("a", 1, 0.2);
        cells.Progress("b", 1, 0.5);
        clock.Seconds = 60;
        cells.Finished("a", 1, _ => { }); // failed or not: it is not running and not to be waited for

        clock.Ring();

        Assert.Equal(expected, output.ToString());
    }

    [Fact]
    public void What_was_done_before_or_failed_says_nothing_about_the_time_to_go()
    {
        var clock = new TimerClock();
        using var output = new StringWriter { NewLine = "\n" };
        using var cells = new RunningCells(
            new CliHost(output, TextWriter.Null, CliHost.Plain(output), false, clock, default), RunningCells.Form.Json, 10, 2, () => "");
        for (var i = 0; i < 4; i++) cells.SetAside($"measured before {i}", 1, _ => { });
        clock.Seconds = 1;
        cells.SetAside("failed", 1, _ => { });
        clock.Seconds = 60;
        TimeSpan? toGo = null;
        cells.Finished("computed", 1, left => toGo = left);
        Assert.Equal(TimeSpan.FromMinutes(2), toGo); // 10 − 2 − 4 − 1 are computed here, and one of these took a minute

        clock.Ring();
        Assert.Equal("{\"event\":\"progress\",\"fraction\":0.8,\"secondsToGo\":120,\"running\":{}}\n", output.ToString());
    }

    [Theory]
    [InlineData("Text")]
    [InlineData("Json")]
    public void What_has_stopped_shows_nothing_more_also_where_its_timer_had_just_rung(string form)
    {
        var clock = new TimerClock();
        using var output = new StringWriter { NewLine = "\n" };
        using var cells = new RunningCells(new CliHost(output, TextWriter.Null, CliHost.Plain(output), false, clock, default), Enum.Parse<RunningCells.Form>(form), 3, 0, () => "1 of 3");
        cells.Progress("a", 1, 0.2);

        cells.Stop();
        clock.Ring();

        Assert.Equal("", output.ToString());
    }

    // Its time stands still, and its timers ring, until they are told otherwise.
    private sealed class TimerClock : TimeProvider
    {
        private readonly List<Action> _timers = [];

        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _timers.Add(() => callback(state));
            return new Silent();
        }

        public void Ring() => _timers.ForEach(ring => ring());

        private sealed class Silent : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
