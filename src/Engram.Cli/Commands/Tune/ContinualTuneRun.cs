using System.Globalization;
using Engram.Cli.Experiments;
using Engram.Cli.Progress;
using Engram.Evaluation;
using Engram.Evaluation.Tuning;
using Engram.Learning;
using Engram.Reporting.Tuning;
using Engram.Retention;

namespace Engram.Cli.Commands.Tune;

/// <summary>Carries out the continual procedure of <c>engram tune</c>: one experience after another, in this process.</summary>
internal sealed class ContinualTuneRun(CliHost host, TuneSettings settings)
{
    private static readonly TimeSpan s_signOfLife = TimeSpan.FromSeconds(10);

    public int Run()
    {
        var (options, strength) = settings.Section.Continual(settings.Text, settings.Vary);
        if (settings.File.Stream.Online is not null)
            throw settings.Text.Top.Section("stream")!.Problem("online", "given, expected none with the continual procedure, whose experiences are whole");
        OutputFolder.RequireWritable(settings.Out);
        TorchRuntime.Configure(settings.Jobs);
        var data = settings.File.LoadForTuning(settings.Source, settings.Section.Validation);
        // Another search in the same folder has a place of its own.
        var place = Path.Combine(settings.Out, "continual", settings.PlaceName);
        var procedure = new ContinualTuning(data, options, (rate, held) => Attempt(strength, rate, held), place, host.Clock);
        var (first, later) = (options.Rates.Count + 1, Math.Min(options.LaterRates, options.Rates.Count) + options.Attempts);
        var most = first + ((data.Count - 1) * later);
        if (settings.Json) JsonLine.Write(host.Out, new { Event = "start", Experiment = settings.File.Name, settings.Strategy, settings.Section.Method, settings.Command, Experiences = data.Count, MostAttempts = most });
        else host.Out.WriteLine(
            $"{settings.File.Name}, {settings.Strategy}: continual procedure, {data.Count} experiences, at most {most} attempts; in {settings.Out}");
        var seconds = new List<double>();
        void Attempted(ContinualAttempt attempt)
        {
            seconds.Add(attempt.Seconds);
            var before = attempt.Position == 0 ? 0 : first + ((attempt.Position - 1) * later);
            Tell(attempt, data, TimeSpan.FromSeconds(seconds.Average() * Math.Max(0, most - before - attempt.Number - 1)));
        }
        // Data, or a file of the place.
        var choices = DataFolder.Reading(() => procedure.Run(Attempted, new SignOfLife(host, settings.Json, s_signOfLife), host.CancellationToken));
        Finish(choices, data.Count, strength);
        return choices.Count < data.Count ? ExitCode.Interrupted : ExitCode.Success;
    }

    private AttemptSettings Attempt(string strength, double rate, double? held)
    {
        var values = new Dictionary<string, string> { [TuneSection.Rate] = Text(rate) };
        if (held is { } number) values[strength] = Text(number);
        var file = ExperimentFile.Parse(settings.Plain.With(values), settings.File.Seed);
        var described = TrialCellCommand.Describe(file, settings.Strategy, settings.Source);
        var strategy = described.Strategies[0];
        return new AttemptSettings(
            () => described.Model(strategy), described.Training, held is null ? [] : strategy.Create(new StrategyBudget(file.Memory)));
    }

    private void Tell(ContinualAttempt attempt, TuningData data, TimeSpan atMost)
    {
        if (settings.Json)
        {
            JsonLine.Write(host.Out, new { Event = "attempt", attempt.Position, attempt.Number, attempt.Rate, attempt.Strength, attempt.New, attempt.Old, attempt.Seconds, SecondsToGoAtMost = atMost.TotalSeconds });
            return;
        }
        host.Out.WriteLine(
            $"{data[attempt.Position].Name,-8} rate {Text(attempt.Rate),-8} "
            + $"{(attempt.Strength is { } held ? $"strength {Text(held)}" : "fine-tuning"),-20} new {Words.Percent(attempt.New)}"
            + $"{(double.IsNaN(attempt.Old) ? "" : $", old {Words.Percent(attempt.Old)}")}  {Words.Time(attempt.Seconds)}, at most {Words.Time(atMost)} to go");
        host.Out.Flush();
    }

    private void Finish(IReadOnlyList<ContinualChoice> choices, int experiences, string strength)
    {
        using var view = new TuneView(host, settings, 1, 0, quiet: true);
        if (choices.Count == 0)
        {
            view.Finish(null, [], experiences);
            return;
        }
        var results = new TuningResults
        {
            Experiment = settings.File.Name,
            Strategy = settings.File.Strategies.First(strategy => strategy.Name == settings.Strategy).Title,
            Method = settings.Section.Method,
            Objective = "accuracy on the experience among its own classes",
            Settings = settings.Readable,
            Command = settings.Command,
            Seconds = choices.Sum(choice => choice.Attempts.Sum(attempt => attempt.Seconds)),
            Environment = RunEnvironment.Describe(),
            Rows = TuningResults.RowsOf(choices, TuneSection.Rate, strength, settings.Command),
            Choices = choices,
            Missing = experiences - choices.Count,
        };
        List<string> files = [.. TuningReport.Write(results, settings.Out), ChosenFile.KeepTuned(settings)];
        if (results.Missing == 0)
            files.Add(ChosenFile.Write(settings, new Dictionary<string, string>(), new Dictionary<string, IReadOnlyList<string>>
            {
                [TuneSection.Rate] = [.. choices.Select(choice => Text(choice.Kept.Rate))],
                [strength] = [.. choices.Select(choice => Text(choice.Kept.Strength!.Value))],
            }, "one value per experience, each seeing the present experience only"));
        view.Finish(results, files, results.Missing);
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    // Lines for logs: an attempt may take long.
    private sealed class SignOfLife(CliHost host, bool json, TimeSpan every) : IProgress<LearningProgress>
    {
        private long _told = host.Clock.GetTimestamp();

        public void Report(LearningProgress value)
        {
            if (host.Clock.GetElapsedTime(_told) < every) return;
            _told = host.Clock.GetTimestamp();
            if (json) JsonLine.Write(host.Out, new { Event = "progress", value.Experience, value.Step, value.Steps });
            else host.Out.WriteLine($"  {Words.Of(value)}");
            host.Out.Flush();
        }
    }
}
