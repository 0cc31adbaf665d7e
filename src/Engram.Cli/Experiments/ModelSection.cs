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
        Try(section, "backbone", () => Architectures.CheckBackbone(Backbone, MostNumbers));
        Try(section, "head", () => Architectures.CheckHead(Head));
    }

    /// <summary>Builds the model.</summary>
    /// <param name="strategy">The strategy, which may need a backbone or a head of its own.</param>
    /// <param name="inputs">Numbers in a sample.</param>
    public ContinualModel Make(Strategy strategy, int inputs)
    {
        var backbone = strategy.Backbone?.Invoke(inputs) ?? Architectures.Backbone(Backbone, MostNumbers);
        return new ContinualModel(
            backbone, strategy.Head?.Invoke(backbone.FeatureCount) ?? Architectures.Head(Head, backbone.FeatureCount));
    }

    private static void Try(YamlSection section, string key, Action check)
    {
        try
        {
            check();
        }
        catch (FormatException problem)
        {
            throw section.Problem(key, problem.Message, problem);
        }
    }
}
