using System.Text;
using Engram.Cli.Progress;
using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Persistence;
using Engram.Reporting;

namespace Engram.Cli.Commands;

/// <summary>Carries out <c>engram run digits</c>: checks everything, trains, writes, tells.</summary>
internal sealed class RunDigits(CliHost host, RunDigitsSettings settings)
{
    private readonly List<string> _files = [];
    private Exception? _notSaved;

    public int Run()
    {
        var experiment = Experiment();
        var source = DataFolder.Mnist(settings.Data);
        TorchRuntime.Configure(settings.Threads);
        var data = Mnist.Load(source);
        var folder = OutputFolder.Of(settings.Out, "digits", host.Clock);
        OutputFolder.Prepare(folder);
        Put(folder, "settings.json", settings.ToJson());

        RunView view = settings.Json ? new JsonView(host) : host.IsLive ? new LiveView(host) : new PlainView(host);
        RunResults results = null!;
        view.Show(settings, folder, progress => results = experiment.Run(
            data, settings.Command, progress, (result, learner) => Save(folder, result, learner), host.CancellationToken));
        if (results.Strategies.Count > 0) Report(results, folder);
        view.Finish(results, _files);

        if (_notSaved is not null) throw _notSaved;
        return results.Unfinished is null ? ExitCode.Success : ExitCode.Interrupted;
    }

    private DigitsExperiment Experiment()
    {
        try
        {
            return new DigitsExperiment(settings.Digits, host.Clock);
        }
        catch (ArgumentException problem)
        {
            throw new UsageException($"--{problem.Message}", problem);
        }
    }

    // A full disk must not cost the strategies that are still to run: their numbers are worth more than one model.
    private void Save(string folder, StrategyResult result, Learner learner)
    {
        try
        {
            _files.Add(LearntModel.Save(folder, result, learner));
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

    private void Put(string folder, string name, string content)
    {
        var path = Path.GetFullPath(Path.Combine(folder, name));
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(content + "\n")));
        _files.Add(path);
    }
}
