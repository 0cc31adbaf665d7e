using System.Globalization;
using Engram.Data;

namespace Engram.Evaluation.Tuning;

/// <summary>One setting that a search varies: some values to choose from, or a range of numbers.</summary>
/// <remarks>Values are text, as a file has them; numbers are written the same in every culture.</remarks>
public sealed record SearchDimension
{
    private const int Digits = 3; // significant ones of a number drawn: what is written down is what was measured

    private SearchDimension(string key) => Key = key;

    /// <summary>What is varied, for example <c>training.optimizer.learningRate</c>.</summary>
    public string Key { get; }

    /// <summary>The values to choose from, in order; none for a range.</summary>
    public IReadOnlyList<string> Choices { get; private init; } = [];

    /// <summary>Least number of a range.</summary>
    public double From { get; private init; }

    /// <summary>Greatest number of a range.</summary>
    public double To { get; private init; }

    /// <summary>Whether equal factors of a range are equally likely, and not equal differences.</summary>
    public bool Logarithmic { get; private init; }

    /// <summary>Whether a range has whole numbers only.</summary>
    public bool Whole { get; private init; }

    /// <summary>Whether this is a range.</summary>
    public bool IsRange => Choices.Count == 0;

    /// <summary>Some values.</summary>
    /// <param name="key">What is varied.</param>
    /// <param name="values">One value or more, all different.</param>
    /// <exception cref="ArgumentException">No value, or one that occurs twice.</exception>
    public static SearchDimension Of(string key, params IReadOnlyList<string> values)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentNullException.ThrowIfNull(values);
        if (values.Count == 0) throw new ArgumentException($"{key}: no values, expected one or more");
        if (values.Distinct().Count() != values.Count)
            throw new ArgumentException($"{key}: {string.Join(", ", values)}, expected different values");
        return new SearchDimension(key) { Choices = [.. values] };
    }

    /// <summary>A range of numbers, its ends among them.</summary>
    /// <param name="key">What is varied.</param>
    /// <param name="from">Least number.</param>
    /// <param name="to">Greatest number, above <paramref name="from"/>.</param>
    /// <param name="logarithmic">Whether equal factors are equally likely; <paramref name="from"/> must be positive then.</param>
    /// <param name="whole">Whether only whole numbers are meant.</param>
    /// <exception cref="ArgumentException">The ends make no range.</exception>
    public static SearchDimension Range(string key, double from, double to, bool logarithmic = true, bool whole = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (!(double.IsFinite(from) && double.IsFinite(to) && from < to))
            throw new ArgumentException($"{key}: from: {Text(from)}, to: {Text(to)}, expected from below to");
        if (logarithmic && from <= 0)
            throw new ArgumentException($"{key}: from: {Text(from)}, expected above 0 on a logarithmic scale, or a linear scale");
        return new SearchDimension(key) { From = from, To = to, Logarithmic = logarithmic, Whole = whole };
    }

    /// <summary>All choices, or numbers evenly over the range on its scale, ends included.</summary>
    /// <param name="count">How many numbers of a range; 2 or more.</param>
    public IReadOnlyList<string> Points(int count)
    {
        if (!IsRange) return Choices;
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 2);
        return [.. Enumerable.Range(0, count).Select(i => At((double)i / (count - 1))).Distinct()];
    }

    /// <summary>One value by chance.</summary>
    /// <param name="random">Decides.</param>
    public string Draw(SeededRandom random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return IsRange ? At(random.NextDouble()) : Choices[random.Next(Choices.Count)];
    }

    // 0 is the least number, 1 the greatest.
    private string At(double place)
    {
        var value = Logarithmic ? From * Math.Pow(To / From, place) : From + (place * (To - From));
        return Text(Whole ? Math.Round(value) : place is 0 ? From : place is 1 ? To : Rounded(value));
    }

    private double Rounded(double value) => Math.Clamp(
        double.Parse(value.ToString($"E{Digits - 1}", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture), From, To);

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
