using Engram.Server.Tests.Watching;
using Engram.Server.Training;

namespace Engram.Server.Tests.Engine;

public sealed class PaceTests
{
    [Theory]
    [InlineData(0.25, 150)]
    [InlineData(0.5, 50)]
    [InlineData(1, 0)]
    public void Work_is_followed_by_rest_in_proportion(double share, int rest)
    {
        var clock = new ManualClock();
        var pace = new Pace(share, clock, TestContext.Current.CancellationToken);
        clock.Advance(TimeSpan.FromMilliseconds(50)); // of work
        var started = TimeProvider.System.GetTimestamp();

        pace.Step();

        var rested = TimeProvider.System.GetElapsedTime(started).TotalMilliseconds;
        Assert.InRange(rested, 0.9 * rest, rest == 0 ? 20 : 5000);
    }
}
