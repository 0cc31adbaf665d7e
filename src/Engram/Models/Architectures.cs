using System.Globalization;

namespace Engram.Models;

/// <summary>Builds models from what a file says of them: the first word of an architecture chooses, the rest are its numbers.</summary>
/// <remarks>A file can only choose among these; it cannot name a type. A new backbone or head adds one line to its table.</remarks>
public static class Architectures
{
    private static readonly Dictionary<string, BackboneEntry> s_backbones = new()
    {
        ["digits-cnn"] = new(_ => new DigitsCnn()),
        ["mlp"] = new(sizes => new Mlp(Sizes(sizes)[0], Sizes(sizes)[1..]), sizes => MlpNumbers(Sizes(sizes))),
    };

    private static readonly Dictionary<string, Func<int, IncrementalHead>> s_heads = new()
    {
        ["linear"] = features => new LinearHead(features),
    };

    /// <summary>Builds a backbone.</summary>
    /// <param name="architecture">As given by <see cref="Models.Backbone.Architecture"/>.</param>
    /// <param name="numbers">How many parameters there are to fill it with; it is not built if it would need more.</param>
    /// <exception cref="FormatException">An unknown or malformed architecture, or one that is too large.</exception>
    public static Backbone Backbone(string architecture, long numbers)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        var words = architecture.Split(' ', 2);
        if (!s_backbones.TryGetValue(words[0], out var entry))
            throw new FormatException(
                $"architecture: {architecture}, expected one of {string.Join(", ", s_backbones.Keys.Order())}");
        var arguments = words.Length > 1 ? words[1] : "";
        if (entry.Numbers?.Invoke(arguments) is { } needed && needed > numbers)
            throw new FormatException($"architecture: {architecture} has more than the {numbers} parameters given");
        return entry.Build(arguments);
    }

    /// <summary>Builds a head without rows.</summary>
    /// <param name="architecture">As given by <see cref="IncrementalHead.Architecture"/>.</param>
    /// <param name="features">Width of the features it reads.</param>
    /// <exception cref="FormatException">An unknown architecture.</exception>
    public static IncrementalHead Head(string architecture, int features) =>
        s_heads.TryGetValue(architecture, out var build)
            ? build(features)
            : throw new FormatException($"head: {architecture}, expected one of {string.Join(", ", s_heads.Keys.Order())}");

    private static int[] Sizes(string text)
    {
        var sizes = text.Split('-').Select(word =>
            int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size > 0 ? size : 0).ToArray();
        return sizes.Length > 1 && !sizes.Contains(0)
            ? sizes
            : throw new FormatException($"architecture: mlp {text}, expected sizes such as mlp 784-400-400");
    }

    private static long MlpNumbers(int[] sizes)
    {
        Int128 total = 0;
        for (var i = 1; i < sizes.Length; i++) total += ((Int128)sizes[i - 1] + 1) * sizes[i];
        return total > long.MaxValue ? long.MaxValue : (long)total;
    }

    // Numbers: how many parameters the arguments ask for, where they decide that; a file is not believed before.
    private sealed record BackboneEntry(Func<string, Backbone> Build, Func<string, long>? Numbers = null);
}
