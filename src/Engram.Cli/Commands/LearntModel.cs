using Engram.Evaluation;
using Engram.Learning;
using Engram.Persistence;

namespace Engram.Cli.Commands;

/// <summary>Keeps what a strategy has learnt beside its report.</summary>
internal static class LearntModel
{
    /// <summary>Where a strategy's bundle is.</summary>
    public static string PathOf(string folder, string strategy) => Path.GetFullPath(Path.Combine(folder, "models", strategy));

    /// <summary>Saves a learner as a bundle below the folder of the run.</summary>
    /// <returns>The path of the bundle.</returns>
    public static string Save(string folder, string experiment, StrategyResult result, Learner learner)
    {
        var path = PathOf(folder, result.Name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Bundle.Save(learner, path, new BundleInfo { Data = experiment, Metrics = result.Metrics });
        return path;
    }
}
