namespace Engram.Evaluation;

/// <summary>What follows from a confusion matrix: <c>[true class][predicted class]</c> counts.</summary>
public static class ClassCounts
{
    /// <summary>
    /// F1 of each class, 2·TP / (2·TP + FP + FN): the harmonic mean of precision and recall (van Rijsbergen 1979). NaN for a class
    /// that neither occurs nor is predicted.
    /// </summary>
    /// <param name="confusion">The counts, square.</param>
    public static IReadOnlyList<double> F1(IReadOnlyList<IReadOnlyList<int>> confusion)
    {
        ArgumentNullException.ThrowIfNull(confusion);
        return [.. Enumerable.Range(0, confusion.Count).Select(c =>
        {
            // Row and column both hold TP once: their sum is 2·TP + FP + FN.
            var both = confusion[c].Sum() + confusion.Sum(row => row[c]);
            return both == 0 ? double.NaN : 2.0 * confusion[c][c] / both;
        })];
    }

    /// <summary>Mean F1 over the classes that have one: rare classes count as much as frequent ones. NaN where none has.</summary>
    /// <param name="confusion">The counts, square.</param>
    public static double MacroF1(IReadOnlyList<IReadOnlyList<int>> confusion) =>
        F1(confusion).Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();
}
