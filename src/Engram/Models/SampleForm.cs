namespace Engram.Models;

/// <summary>The samples that a backbone reads: so many numbers in any shape, or images of given sizes.</summary>
/// <param name="Sizes">A count of numbers alone, or <c>[channels, height, width]</c> with <see cref="Any"/> for sizes that are free.</param>
/// <param name="Least">What a free size must have at least.</param>
internal sealed record SampleForm(IReadOnlyList<long> Sizes, long Least = 1)
{
    /// <summary>A size that is free.</summary>
    public const long Any = 0;

    public static SampleForm Numbers(long count) => new([count]);

    public static SampleForm Image(long channels, long height = Any, long width = Any, long least = 1) => new([channels, height, width], least);

    public static long Count(IReadOnlyList<long> shape) => shape.Aggregate(1L, (product, size) => product * size);

    public bool Takes(IReadOnlyList<long> shape) => Sizes is [var numbers]
        ? Count(shape) == numbers
        : shape.Count == Sizes.Count && shape.Zip(Sizes).All(pair => pair.Second == Any ? pair.First >= Least : pair.First == pair.Second);

    public override string ToString() => Sizes is [var numbers]
        ? $"{numbers} numbers"
        : $"images of [{string.Join(", ", Sizes.Select((size, i) => size != Any ? $"{size}" : i == 1 ? "height" : "width"))}]"
            + (Least > 1 && Sizes.Contains(Any) ? $" with sides of {Least} or more" : "");
}
