namespace Engram.Evaluation;

/// <summary>How well any number of labels per sample is predicted.</summary>
/// <param name="Accuracy">Per label: the fraction of samples where present or absent is predicted right.</param>
/// <param name="F1">Per label: 2·TP / (2·TP + FP + FN); NaN where the label is neither present nor predicted.</param>
public sealed record MultiLabelMetrics(IReadOnlyList<double> Accuracy, IReadOnlyList<double> F1)
{
    /// <summary>Mean accuracy over the labels.</summary>
    public double MeanAccuracy => Accuracy.Average();

    /// <summary>Macro F1: mean over the labels that have one; NaN where none has.</summary>
    public double MacroF1 => F1.Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();

    internal static MultiLabelMetrics Of(double[][] truth, double[][] scores)
    {
        var labels = truth[0].Length;
        var (accuracy, f1) = (new double[labels], new double[labels]);
        for (var label = 0; label < labels; label++)
        {
            var (hit, both, either) = (0, 0, 0);
            for (var row = 0; row < truth.Length; row++)
            {
                var (present, predicted) = (truth[row][label] > 0.5, scores[row][label] > 0); // sigmoid(0) = 0.5
                if (present == predicted) hit++;
                if (present && predicted) both++;
                if (present != predicted) either++;
            }
            accuracy[label] = hit / (double)truth.Length;
            f1[label] = both + either == 0 ? double.NaN : 2.0 * both / ((2.0 * both) + either);
        }
        return new MultiLabelMetrics(accuracy, f1);
    }
}

/// <summary>How well values are predicted.</summary>
/// <param name="Rmse">Per output: √ mean (y − ŷ)², in the output's unit.</param>
/// <param name="R2">Per output: 1 − Σ(y − ŷ)² / Σ(y − ȳ)²; NaN where y does not vary.</param>
public sealed record RegressionMetrics(IReadOnlyList<double> Rmse, IReadOnlyList<double> R2)
{
    internal static RegressionMetrics Of(double[][] truth, double[][] scores)
    {
        var outputs = truth[0].Length;
        var (rmse, r2) = (new double[outputs], new double[outputs]);
        for (var output = 0; output < outputs; output++)
        {
            var mean = truth.Average(row => row[output]);
            var residual = truth.Zip(scores).Sum(pair => Math.Pow(pair.First[output] - pair.Second[output], 2));
            var total = truth.Sum(row => Math.Pow(row[output] - mean, 2));
            rmse[output] = Math.Sqrt(residual / truth.Length);
            r2[output] = total == 0 ? double.NaN : 1 - (residual / total);
        }
        return new RegressionMetrics(rmse, r2);
    }
}
