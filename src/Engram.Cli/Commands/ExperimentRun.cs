using Engram.Cli.Progress;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Persistence;
using Engram.Reporting;
using Engram.Streams;

namespace Engram.Cli.Commands;

/// <summary>Carries out <c>engram run</c>, from the start or from where it was stopped: checks, trains, writes, tells.</summary>
internal sealed class ExperimentRun(CliHost host, RunSettings settings)
{
    private readonly List<string> _files = [];
    private Exception? _notSaved;

    public int Run()
    {
        var source = settings.FindData();
        var experiment = settings.Describe(source);
        var folder = settings.Resumes ? settings.Out! : OutputFolder.Of(settings.Out, settings.Name, host.Clock);
        if (settings.Resumes && IsComplete(folder))
        {
            host.Error.WriteLine($"engram: {folder} is complete, nothing is left to do");
            return ExitCode.Success;
        }
        if (settings.Resumes) settings.CheckData(source);
        TorchRuntime.Configure(settings.Threads);
        var stream = settings.Stream(source);
        if (!settings.Resumes) Begin(folder, source);
        using var checkpoints = Open(folder);

        RunView view = settings.Json ? new JsonView(host) : host.IsLive ? new LiveView(host) : new PlainView(host);
        RunResults results = null!;
        experiment = experiment with
        {
            Experienced = (strategy, index, learner) => Try(() => SampleSheets.Save(folder, strategy, index, stream, learner)),
        };
        view.Show(settings, experiment, folder, progress => results = experiment.Run(
            stream, settings.Command, progress, (result, learner) => Save(folder, experiment, stream, result, learner), checkpoints, host.Clock,
            host.CancellationToken));
        if (results.Strategies.Count > 0) Report(results, folder);
        _notSaved ??= results.Unfinished is null ? null : checkpoints.Problem;
        if (results.Unfinished is null && _notSaved is null) checkpoints.Clear();
        view.Finish(results, _files, RunCommand.ToResume(folder));

        if (_notSaved is not null) throw _notSaved;
        return results.Unfinished is null ? ExitCode.Success : ExitCode.Interrupted;
    }

    private static string CheckpointsOf(string folder) => Path.Combine(folder, "checkpoint");

    // Checkpoints go last, when all that is made from them is written.
    private static bool IsComplete(string folder) =>
        File.Exists(Path.Combine(folder, ReportWriter.ResultsFile)) && !Directory.Exists(CheckpointsOf(folder));

    private void Begin(string folder, string source)
    {
        OutputFolder.Prepare(folder);
        foreach (var (name, content) in settings.Files) Put(folder, name, content);
        // Last, for it says that there is a run.
        Put(folder, RunSettings.FileName, settings.ToJson(source) + "\n");
    }

    private ExperimentCheckpoints Open(string folder)
    {
        var checkpoints = new ExperimentCheckpoints(CheckpointsOf(folder), settings.SaveEvery, host.Clock);
        // A start that was killed before there was a run to resume has left something too. Models are swept when they are saved again.
        foreach (var written in new[] { folder, SampleSheets.FolderOf(folder) }.Where(Directory.Exists)) AtomicFile.Sweep(written);
        foreach (var strategy in checkpoints.Finished)
            if (LearntModel.PathOf(folder, strategy) is var path && File.Exists(Path.Combine(path, "manifest.json"))) _files.Add(path);
            else checkpoints.Forget(strategy);
        return checkpoints;
    }

    // A full disk must not cost the strategies that are still to run: their numbers are worth more than one model.
    private void Save(string folder, ExperimentDescription experiment, ExperienceStream stream, StrategyResult result, Learner learner) =>
        Try(() => LearntModel.Save(folder, experiment, stream, result, learner, host.Clock.GetLocalNow()));

    private void Try(Func<string?> save)
    {
        try
        {
            if (save() is { } file) _files.Add(file);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            _notSaved ??= problem;
        }
    }

    // The numbers are shown even where they could not be written.
    private void Report(RunResults results, string folder)
    {
        try
        {
            ReportWriter.Write(results, folder);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            _notSaved ??= problem;
        }
        string[] names =
            [ReportWriter.ResultsFile, ReportWriter.ReportFile, ReportWriter.AccuracyFile, ReportWriter.MatrixFile];
        _files.AddRange(names.Select(name => Path.GetFullPath(Path.Combine(folder, name))).Where(File.Exists));
    }

    private void Put(string folder, string name, string content) => _files.Add(AtomicFile.Write(Path.Combine(folder, name), content));
}
