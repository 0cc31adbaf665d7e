using Engram.Evaluation;

namespace Engram.Tests;

public class AccuracyMatrixTests
{
    private static AccuracyMatrix Example()
    {
        var matrix = new AccuracyMatrix();
        matrix.Add(0.9, 0.1, 0.2);
        matrix.Add(0.5, 0.8, 0.3);
        matrix.Add(0.6, 0.4, 0.7);
        return matrix;
    }

    [Fact]
    public void Metrics_agree_with_values_computed_by_hand()
    {
        var matrix = Example();
        Assert.Equal((0.6 + 0.4 + 0.7) / 3, matrix.FinalAverageAccuracy, 12);
        Assert.Equal((0.9 + 0.65 + 1.7 / 3) / 3, matrix.AverageIncrementalAccuracy, 12);
        Assert.Equal((0.9 + 0.8 + 0.7) / 3, matrix.LearningAccuracy, 12);
        Assert.Equal((0.3 + 0.4) / 2, matrix.Forgetting, 12);
        Assert.Equal((-0.3 - 0.4) / 2, matrix.BackwardTransfer, 12);
        Assert.Equal((0.1 - 0.1 + 0.3 - 0.1) / 2, matrix.ForwardTransfer([0.1, 0.1, 0.1]), 12);
    }

    [Fact]
    public void Forgetting_looks_at_the_best_accuracy_ever_not_at_the_first()
    {
        var matrix = new AccuracyMatrix();
        matrix.Add(0.5);
        matrix.Add(0.9, 0.9);
        matrix.Add(0.4, 0.9, 0.9);
        Assert.Equal(0.5, matrix.ForgettingOf(0), 12);
        Assert.Equal(-0.05, matrix.BackwardTransfer, 12);
    }

    [Fact]
    public void A_row_that_is_too_short_or_no_fraction_is_refused()
    {
        var matrix = Example();
        Assert.Contains("expected 4 or more", Assert.Throws<ArgumentException>(() => matrix.Add(1, 1)).Message);
        Assert.Contains("expected 0 to 1", Assert.Throws<ArgumentException>(() => matrix.Add(1, 1, 1, 1.5)).Message);
        Assert.Equal(3, matrix.Count);
    }
}
