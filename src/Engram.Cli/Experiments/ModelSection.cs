using Engram.Models;
using Engram.Retention;

namespace Engram.Cli.Experiments;

/// <summary>The model that every strategy trains.</summary>
internal sealed record ModelSection
{
    // 8 GB with gradient and moments are beyond what a machine of the kind this runs on would bear.
    private const long MostNumbers = 500_000_000;

    /// <summary>As <see cref="Architectures"/> names backbones.</summary>
    public string Backbone { get; init; } = "mlp 784-400-400";

    /// <summary>As <see cref="Architectures"/> names heads; a strategy that needs another has it.</summary>
    public string Head { get; init; } = "linear";

    public void Check(YamlSection section)
    {
        Try(() => Architectures.CheckBackbone(Backbone, MostNumbers), problem => section.Problem("backbone", problem.Message, problem));
        Try(() => Architectures.CheckHead(Head), problem => section.Problem("head", problem.Message, problem));
    }

    /// <summary>Refuses a backbone that reads other samples.</summary>
    /// <param name="top">The file, for messages.</param>
    /// <param name="shape">Shape of a sample.</param>
    /// <exception cref="UsageException">It reads others.</exception>
    public void CheckFits(YamlSection top, IReadOnlyList<long> shape) => Try(
        () => Architectures.CheckBackbone(Backbone, MostNumbers, shape),
        problem => top.Section("model")?.Problem("backbone", problem.Message, problem)
            ?? top.Problem("model.backbone", $"missing, and the default does not fit: {problem.Message}", problem));

    /// <summary>Builds the model.</summary>
    /// <param name="strategy">The strategy, which may need a backbone or a head of its own.</param>
    /// <param name="shape">Shape of a sample.</param>
    public ContinualModel Make(Strategy strategy, IReadOnlyList<long> shape)
    {
        var backbone = OwnBackbone(strategy, shape) ?? Architectures.Backbone(Backbone, MostNumbers);
        return new ContinualModel(
            backbone, strategy.Head?.Invoke(backbone.FeatureCount) ?? Architectures.Head(Head, backbone.FeatureCount));
    }

    /// <summary>The backbone that a strategy has of its own; null where it trains that of the file.</summary>
    /// <param name="strategy">The strategy.</param>
    /// <param name="shape">Shape of a sample.</param>
    public static Backbone? OwnBackbone(Strategy strategy, IReadOnlyList<long> shape) =>
        strategy.Backbone?.Invoke((int)shape.Aggregate(1L, (product, size) => product * size));

    private static void Try(Action check, Func<FormatException, UsageException> problem)
    {
        try
        {
            check();
        }
        catch (FormatException wrong)
        {
            throw problem(wrong);
        }
    }
}
