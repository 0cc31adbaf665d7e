using System.Globalization;
using Engram.Evaluation;

namespace Engram.Reporting;

/// <summary>The horizontal axis of learning curves: how much has been learnt after each experience.</summary>
/// <param name="Title">Name and unit of the axis.</param>
/// <param name="Positions">One position per experience, growing.</param>
/// <param name="Ticks">What stands under each position: the number, then the group just learnt.</param>
internal sealed record LearningAxis(
    string Title, IReadOnlyList<double> Positions, IReadOnlyList<(string Number, string Group)> Ticks)
{
    /// <summary>Counts classes where every group brings new ones, and experiences where it does not.</summary>
    public static LearningAxis Of(RunResults results)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        var classes = new List<double>();
        foreach (var group in results.Groups)
        {
            known.UnionWith(group.Classes);
            classes.Add(known.Count);
        }
        var growing = Enumerable.Range(0, classes.Count).All(i => classes[i] > (i == 0 ? 0 : classes[i - 1]));
        var positions = growing ? classes : [.. Enumerable.Range(1, classes.Count).Select(i => (double)i)];
        return new(
            growing ? "Classes learnt so far (below: the group just learnt)" : "Experiences learnt (below: the newest)",
            positions,
            [.. positions.Select((p, i) => (p.ToString(CultureInfo.InvariantCulture), results.Groups[i].Name))]);
    }

    /// <summary>Left end, with room beside the first point.</summary>
    public double Minimum => Positions.Count == 0 ? 0 : Positions[0] - Margin;

    /// <summary>Right end, with room beside the last point.</summary>
    public double Maximum => Positions.Count == 0 ? 1 : Positions[^1] + Margin;

    /// <summary>Which ticks to name so that at most <paramref name="most"/> are; the last always is.</summary>
    public IEnumerable<int> Named(int most)
    {
        var step = Math.Max(1, (int)Math.Ceiling(Positions.Count / (double)most));
        return Enumerable.Range(0, Positions.Count).Where(i => (Positions.Count - 1 - i) % step == 0);
    }

    private double Margin => Positions.Count < 2 ? 0.5 : 0.06 * (Positions[^1] - Positions[0]);
}
