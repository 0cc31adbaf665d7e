using Engram.Cli.Commands;
using Engram.Evaluation;

namespace Engram.Cli.Progress;

/// <summary>What a user sees of a run.</summary>
internal abstract class RunView
{
    /// <summary>Shows a run while it goes on.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="experiment">What runs.</param>
    /// <param name="folder">Where the run writes to.</param>
    /// <param name="run">The run; returns when it has ended.</param>
    public abstract void Show(
        RunSettings settings, ExperimentDescription experiment, string folder, Action<IProgress<ExperimentProgress>> run);

    /// <summary>Shows what came out.</summary>
    /// <param name="results">What was measured.</param>
    /// <param name="files">What was written.</param>
    /// <param name="resume">The command that goes on with an interrupted run.</param>
    public abstract void Finish(RunResults results, IReadOnlyList<string> files, string resume);

    /// <summary>Reports on the training thread; <see cref="Progress{T}"/> would do so on another, later.</summary>
    protected sealed class Relay(Action<ExperimentProgress> report) : IProgress<ExperimentProgress>
    {
        public void Report(ExperimentProgress value) => report(value);
    }
}
