using System.Globalization;

namespace Engram.Data;

/// <summary>
/// What a sample is called: a name, compared by its exact characters. Numbers and strings convert to it, all else by <see cref="Of"/>.
/// </summary>
/// <remarks>A label is its text and knows no type: 5, <c>"5"</c> and an identifier written 5 are one and the same label.</remarks>
/// <param name="Name">The name; numbers are written in the invariant culture.</param>
public readonly record struct Label(string Name) : IComparable<Label>
{
    /// <summary>The label of a number.</summary>
    public static implicit operator Label(int number) => new(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>The label of a name.</summary>
    public static implicit operator Label(string name) => new(name);

    /// <summary>The label of a value of any other type: its text in the invariant culture.</summary>
    /// <param name="value">A long, an enumeration, a <see cref="Guid"/>, a date, ...</param>
    public static Label Of(IFormattable value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new(value.ToString(null, CultureInfo.InvariantCulture));
    }

    /// <summary>The labels <paramref name="first"/>, <paramref name="first"/> + 1, ...</summary>
    /// <param name="first">The first number.</param>
    /// <param name="count">How many.</param>
    public static Label[] Numbers(int first, int count) => [.. Enumerable.Range(first, count).Select(n => (Label)n)];

    /// <summary>The labels that occur, each once, shorter names first and then ordinally, so that numbers stand in their order.</summary>
    /// <param name="labels">Labels that may repeat.</param>
    public static Label[] Distinct(IEnumerable<Label> labels) =>
        [.. labels.Distinct().OrderBy(label => label.Name.Length).ThenBy(label => label.Name, StringComparer.Ordinal)];

    /// <summary>Orders labels by name, ordinally.</summary>
    /// <param name="other">The label to compare with.</param>
    public int CompareTo(Label other) => string.CompareOrdinal(Name, other.Name);

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Orders by name.</summary>
    public static bool operator <(Label left, Label right) => left.CompareTo(right) < 0;

    /// <summary>Orders by name.</summary>
    public static bool operator >(Label left, Label right) => left.CompareTo(right) > 0;

    /// <summary>Orders by name.</summary>
    public static bool operator <=(Label left, Label right) => left.CompareTo(right) <= 0;

    /// <summary>Orders by name.</summary>
    public static bool operator >=(Label left, Label right) => left.CompareTo(right) >= 0;
}
