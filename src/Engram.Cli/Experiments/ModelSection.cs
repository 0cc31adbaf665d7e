using Engram.Models;
using Engram.Retention;

namespace Engram.Cli.Experiments;

/// <summary>The model that every strategy trains.</summary>
internal sealed record ModelSection
{
    /// <summary>As <see cref="Architectures"/> names backbones.</summary>
    public string Backbone { get; init; } = "mlp 784-400-400";

    /// <summary>As <see cref="Architectures"/> names heads; a strategy that needs another has it.</summary>
    public string Head { get; init; } = "linear";

    public void Check(YamlSection section)
    {
        Try(section, "backbone", () => Architectures.CheckBackbone(Backbone));
        Try(section, "head", () => Architectures.CheckHead(Head));
    }

    public ContinualModel Make(Strategy strategy)
    {
        var backbone = Architectures.Backbone(Backbone, long.MaxValue);
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
