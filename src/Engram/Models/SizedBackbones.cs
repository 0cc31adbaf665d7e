using System.Globalization;
using Engram.Analytic;

namespace Engram.Models;

/// <summary>Backbones whose architecture states sizes. A new one adds one line.</summary>
/// <remarks>A file decides these sizes, so none is believed before it has the numbers to show.</remarks>
internal static class SizedBackbones
{
    // The basis of a cosine front is no parameter: what it may take where few parameters follow, 32 MB.
    private const long LeastBasis = 8_000_000;

    private static readonly (string Prefix, Func<string, long, (SampleForm Reads, Func<Backbone> Build)> Parse)[] s_kinds =
        [("mlp ", OfMlp), ("raw ", OfRaw), ("cosine-mlp ", OfCosineMlp), ("patches ", OfPatches),
        ("progressive-mlp ", OfProgressive)];

    public static bool Knows(string architecture) => s_kinds.Any(kind => architecture.StartsWith(kind.Prefix, StringComparison.Ordinal));

    /// <summary>What a backbone reads and what builds it, or null where the architecture is of none of these kinds.</summary>
    /// <exception cref="FormatException">Malformed sizes, or ones that are too large.</exception>
    public static (SampleForm Reads, Func<Backbone> Build)? Find(string architecture, long numbers)
    {
        foreach (var (prefix, parse) in s_kinds)
            if (architecture.StartsWith(prefix, StringComparison.Ordinal)) return parse(architecture, numbers);
        return null;
    }

    private static (SampleForm Reads, Func<Backbone> Build) OfMlp(string architecture, long numbers)
    {
        var sizes = Sizes(architecture["mlp ".Length..]) ?? throw Malformed(architecture, "sizes such as mlp 784-400-400");
        Require(architecture, MlpNumbers(sizes), numbers);
        return (SampleForm.Numbers(sizes[0]), () => new Mlp(sizes[0], sizes[1..]));
    }

    // Of the first column, which is all that is built here.
    private static (SampleForm Reads, Func<Backbone> Build) OfProgressive(string architecture, long numbers)
    {
        var sizes = Sizes(architecture["progressive-mlp ".Length..]) ?? throw Malformed(architecture, "sizes such as progressive-mlp 784-100-100");
        Require(architecture, MlpNumbers(sizes), numbers);
        return (SampleForm.Numbers(sizes[0]), () => new ProgressiveMlp(sizes[0], sizes[1..]));
    }

    private static (SampleForm Reads, Func<Backbone> Build) OfRaw(string architecture, long numbers) =>
        Size(architecture["raw ".Length..]) is var size and > 0
            ? (SampleForm.Numbers(size), () => new RawInputs(size))
            : throw Malformed(architecture, "a size such as raw 784");

    private static (SampleForm Reads, Func<Backbone> Build) OfCosineMlp(string architecture, long numbers)
    {
        const string Example = "sizes such as cosine-mlp 1x28x28 64-400";
        var words = architecture.Split(' ');
        var shape = words.Length == 3 ? words[1].Split('x').Select(Size).ToArray() : [];
        if (shape is not [> 0, > 0, > 0] || Sizes(words[2]) is not { } sizes) throw Malformed(architecture, Example);
        var pixels = (Int128)shape[1] * shape[2];
        if (sizes[0] > pixels || (Int128)sizes[0] * shape[0] > int.MaxValue) throw Malformed(architecture, Example);
        Require(architecture, MlpNumbers([sizes[0] * shape[0], .. sizes[1..]]), numbers);
        Require(architecture, pixels * sizes[0], Math.Max(numbers, LeastBasis));
        return (SampleForm.Image(shape[0], shape[1], shape[2]),
            () => new CosineMlp([.. shape.Select(size => (long)size)], sizes[0], sizes[1..]));
    }

    private static (SampleForm Reads, Func<Backbone> Build) OfPatches(string architecture, long numbers)
    {
        var words = architecture.Split(' ');
        var counts = words is [_, var maps, "side", _, "grid", _] ? maps.Split('x').Select(Size).ToArray() : [];
        if (counts is not [> 0, > 0] || Size(words[3]) is not (var side and > 0) || Size(words[5]) is not (var grid and > 0)
            || (Int128)counts[1] * grid * grid > int.MaxValue)
            throw Malformed(architecture, "sizes such as patches 1x128 side 6 grid 6");
        Require(architecture, (Int128)counts[0] * counts[1] * side * side, numbers);
        return (SampleForm.Image(counts[0], least: side),
            () => new PatchBackbone(counts[0], new PatchOptions { Filters = counts[1], Side = side, Grid = grid }));
    }

    private static int Size(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size > 0 ? size : 0;

    private static int[]? Sizes(string text)
    {
        var sizes = text.Split('-').Select(Size).ToArray();
        return sizes.Length > 1 && !sizes.Contains(0) ? sizes : null;
    }

    private static Int128 MlpNumbers(int[] sizes)
    {
        Int128 total = 0;
        for (var i = 1; i < sizes.Length; i++) total += ((Int128)sizes[i - 1] + 1) * sizes[i];
        return total;
    }

    private static void Require(string architecture, Int128 needed, long numbers)
    {
        if (needed > numbers) throw TooLarge(architecture, numbers);
    }

    public static FormatException TooLarge(string architecture, long numbers) =>
        new($"architecture: {architecture} has more than {numbers} parameters, expected at most as many");

    private static FormatException Malformed(string architecture, string expected) =>
        new($"architecture: {architecture}, expected {expected}");
}
