using Engram.Evaluation;
using Engram.Learning;
using Engram.Persistence;

namespace Engram.Cli.Commands;

/// <summary>Keeps what a strategy has learnt beside its report.</summary>
internal static class LearntModel
{
    /// <summary>Saves a learner as a bundle below the folder of the run.</summary>
    /// <returns>The path of the bundle.</returns>
    public static string Save(string folder, StrategyResult result, Learner learner)
    {
        var path = Path.GetFullPath(Path.Combine(folder, "models", result.Name));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Bundle.Save(learner, path, new BundleInfo { Data = "digits", Metrics = result.Metrics });
        return path;
    }
}
