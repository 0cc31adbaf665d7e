using Engram.Evaluation;

namespace Engram.Tests.Evaluation;

public class MoreMetricsTests
{
    // R: 0.9 | 0.6 0.8 | 0.3 0.7 1.0
    private static AccuracyMatrix Matrix()
    {
        var matrix = new AccuracyMatrix();
        matrix.Add(0.9);
        matrix.Add(0.6, 0.8);
        matrix.Add(0.3, 0.7, 1.0);
        return matrix;
    }

    [Fact]
    public void Metrics_of_the_matrix_agree_with_values_computed_by_hand()
    {
        var matrix = Matrix();
        Assert.Equal(0.6, matrix.MaximumForgetting, 1e-12); // 0.9 - 0.3, against 0.8 - 0.7
        Assert.Equal(1 - ((0.3 + 0.6 + 0.1) / 3), matrix.Remembering, 1e-12);
        Assert.Equal(((0.95 - 0.9) + (0.9 - 0.8) + (0.9 - 1.0)) / 3, matrix.Intransigence([0.95, 0.9, 0.9]), 1e-12);
        Assert.Equal(2 * 0.5 * 0.9 / 1.4, matrix.StabilityPlasticity, 1e-12); // S = (0.3 + 0.7) / 2, P = 2.7 / 3
    }

    [Fact]
    public void A_single_experience_forgets_nothing_and_gains_in_accuracy_are_no_forgetting()
    {
        var matrix = new AccuracyMatrix();
        matrix.Add(0.5);
        Assert.Equal((0, 1, double.NaN), (matrix.MaximumForgetting, matrix.Remembering, matrix.StabilityPlasticity));
        matrix.Add(0.7, 0.9);
        Assert.Equal(1, matrix.Remembering);
        Assert.Contains("expected 2", Assert.Throws<ArgumentException>(() => matrix.Intransigence([1])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Macro_F1_weighs_rare_classes_as_much_as_frequent_ones()
    {
        // Class 0: 90 of 100 right; class 1: 1 of 2 right; class 2 neither occurs nor is predicted.
        int[][] confusion = [[90, 10, 0], [1, 1, 0], [0, 0, 0]];
        var f1 = ClassCounts.F1(confusion);
        Assert.Equal(180.0 / (180 + 10 + 1), f1[0], 1e-12);
        Assert.Equal(2.0 / (2 + 10 + 1), f1[1], 1e-12);
        Assert.True(double.IsNaN(f1[2]));
        Assert.Equal((f1[0] + f1[1]) / 2, ClassCounts.MacroF1(confusion), 1e-12);
        Assert.True(double.IsNaN(ClassCounts.MacroF1([])));
    }
}
