using Engram.Evaluation.Speed;

namespace Engram.Tests.Evaluation.Speed;

public class PairedRunsTests
{
    [Fact]
    public void Two_things_run_in_turns_and_the_first_round_does_not_count()
    {
        var order = "";
        double[] first = [100, 3, 6, 4], second = [1, 2, 2, 2];
        var (a, b) = (0, 0);
        double First() { order += "A"; return first[a++]; }
        double Second() { order += "B"; return second[b++]; }
        var ratio = PairedRuns.Compare(First, Second, 3);
        Assert.Equal("ABABABAB", order);
        Assert.Equal(new PairedRatio(1.5, 2, 3, 4, 2), ratio);
    }

    [Fact]
    public void A_goal_is_met_from_its_own_side()
    {
        Assert.True(new SpeedRow("steps", 1.7, "×", 1.6, AtLeast: true).IsMet);
        Assert.False(new SpeedRow("steps", 1.7, "×", 1.6, AtLeast: false).IsMet);
    }

    [Fact]
    public void A_part_that_is_none_is_refused_with_the_list_of_parts() =>
        Assert.Contains("expected one of training, steps", Assert.Throws<ArgumentException>(
            () => new SpeedBenchmark(TestData.Mnist.Train).Run("start")).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_line_of_a_short_part_has_a_number_and_a_goal()
    {
        var rows = new SpeedBenchmark(TestData.Mnist.Train).Run("prediction").ToArray();
        Assert.Equal(3, rows.Length);
        Assert.All(rows, row => Assert.True(row is { Measured: > 0, Goal: > 0 } && double.IsFinite(row.Measured)));
    }
}
