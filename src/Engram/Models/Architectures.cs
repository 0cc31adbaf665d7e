namespace Engram.Models;

/// <summary>Builds models from what a file says of them.</summary>
/// <remarks>A file can only choose among these; it cannot name a type. A new backbone or head adds one line to its table.</remarks>
public static class Architectures
{
    // With the parameters that each has and the samples that it reads, so that a file can be held against them before anything is built.
    private static readonly Dictionary<string, (long Numbers, SampleForm Reads, Func<Backbone> Build)> s_backbones = new()
    {
        ["digits-cnn"] = (1_198_592, SampleForm.Image(1, 28, 28), () => new DigitsCnn()),
        ["lenet5 1x28"] = (60_856, SampleForm.Image(1, 28, 28), () => new LeNet5(1, 28)),
        ["lenet5 1x32"] = (60_856, SampleForm.Image(1, 32, 32), () => new LeNet5(1, 32)),
        ["lenet5 3x32"] = (61_156, SampleForm.Image(3, 32, 32), () => new LeNet5(3, 32)),
        ["resnet20"] = (269_072, SampleForm.Image(3), () => ResNet.Cifar(20)),
        ["resnet32"] = (463_504, SampleForm.Image(3), () => ResNet.Cifar(32)),
        ["resnet44"] = (657_936, SampleForm.Image(3), () => ResNet.Cifar(44)),
        ["resnet56"] = (852_368, SampleForm.Image(3), () => ResNet.Cifar(56)),
        ["resnet110"] = (1_727_312, SampleForm.Image(3), () => ResNet.Cifar(110)),
        ["resnet18-20"] = (1_093_140, SampleForm.Image(3), () => ResNet.ResNet18(20)),
        ["resnet18-64"] = (11_168_832, SampleForm.Image(3), () => ResNet.ResNet18(64)),
        ["resnet20 1-channel"] = (268_784, SampleForm.Image(1), () => ResNet.Cifar(20, 1)),
        ["resnet32 1-channel"] = (463_216, SampleForm.Image(1), () => ResNet.Cifar(32, 1)),
        ["resnet18-20 1-channel"] = (1_092_780, SampleForm.Image(1), () => ResNet.ResNet18(20, 1)),
        ["resnet18-64 1-channel"] = (11_167_680, SampleForm.Image(1), () => ResNet.ResNet18(64, 1)),
    };

    private static readonly Dictionary<string, Func<int, IncrementalHead>> s_heads = new()
    {
        ["cosine"] = features => new CosineHead(features),
        ["linear"] = features => new LinearHead(features),
        ["linear-uniform"] = features => new LinearHead(features, RowStart.UniformFanIn),
        ["linear-xavier"] = features => new LinearHead(features, RowStart.Xavier),
        ["split-cosine"] = features => new CosineHead(features), // one function under two names, see CosineHead
    };

    /// <summary>Builds a backbone.</summary>
    /// <param name="architecture">As given by <see cref="Models.Backbone.Architecture"/>.</param>
    /// <param name="numbers">How many parameters there are to fill it with; it is not built if it would need more.</param>
    /// <exception cref="FormatException">An unknown or malformed architecture, or one that is too large.</exception>
    public static Backbone Backbone(string architecture, long numbers)
    {
        return Find(architecture, numbers).Build();
    }

    /// <summary>Builds a head without rows.</summary>
    /// <param name="architecture">As given by <see cref="IncrementalHead.Architecture"/>.</param>
    /// <param name="features">Width of the features it reads.</param>
    /// <exception cref="FormatException">An unknown architecture.</exception>
    public static IncrementalHead Head(string architecture, int features)
    {
        CheckHead(architecture);
        return s_heads[architecture](features);
    }

    /// <summary>Checks the name of a backbone and builds nothing.</summary>
    /// <param name="architecture">As given by <see cref="Models.Backbone.Architecture"/>.</param>
    /// <param name="numbers">How many parameters it may have.</param>
    /// <param name="sample">Shape of a sample that it must read; null for any.</param>
    /// <exception cref="FormatException">
    /// An unknown or malformed architecture (the message lists all), one that is too large, or one that reads other samples.
    /// </exception>
    public static void CheckBackbone(string architecture, long numbers, IReadOnlyList<long>? sample = null)
    {
        var (reads, _) = Find(architecture, numbers);
        if (sample is not null && !reads.Takes(sample))
            throw new FormatException(
                $"architecture: {architecture} reads {reads}, expected one that reads samples of [{string.Join(", ", sample)}]"
                + (sample.Count > 1 ? $", which are {SampleForm.Count(sample)} numbers" : ""));
    }

    /// <summary>Checks the name of a head and builds nothing.</summary>
    /// <param name="architecture">As given by <see cref="IncrementalHead.Architecture"/>.</param>
    /// <exception cref="FormatException">An unknown architecture; the message lists all.</exception>
    public static void CheckHead(string architecture)
    {
        if (!s_heads.ContainsKey(architecture))
            throw new FormatException($"head: {architecture}, expected one of {string.Join(", ", s_heads.Keys.Order())}");
    }

    /// <summary>Every backbone that has a name without sizes.</summary>
    internal static IEnumerable<string> Names => s_backbones.Keys;

    /// <summary>Whether a backbone can be built by its architecture.</summary>
    internal static bool IsKnown(string architecture) => s_backbones.ContainsKey(architecture) || SizedBackbones.Knows(architecture);

    /// <summary>Whether a head can be built by its architecture.</summary>
    internal static bool IsKnownHead(string architecture) => s_heads.ContainsKey(architecture);

    private static (SampleForm Reads, Func<Backbone> Build) Find(string architecture, long numbers)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        if (s_backbones.TryGetValue(architecture, out var known))
            return known.Numbers <= numbers ? (known.Reads, known.Build) : throw SizedBackbones.TooLarge(architecture, numbers);
        return SizedBackbones.Find(architecture, numbers)
            ?? throw new FormatException(
                $"architecture: {architecture}, expected mlp with sizes or one of {string.Join(", ", s_backbones.Keys.Order())}");
    }
}
