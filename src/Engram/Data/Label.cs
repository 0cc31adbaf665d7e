using System.Globalization;

namespace Engram.Data;

/// <summary>What a sample is called: a name, compared by its exact characters. Numbers and strings convert to it.</summary>
/// <param name="Name">The name; numbers are written in the invariant culture.</param>
public readonly record struct Label(string Name) : IComparable<Label>
{
    /// <summary>The label of a number.</summary>
    public static implicit operator Label(int number) => new(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>The label of a name.</summary>
    public static implicit operator Label(string name) => new(name);

    /// <summary>The labels <paramref name="first"/>, <paramref name="first"/> + 1, ...</summary>
    /// <param name="first">The first number.</param>
    /// <param name="count">How many.</param>
    public static Label[] Numbers(int first, int count) => [.. Enumerable.Range(first, count).Select(n => (Label)n)];

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
