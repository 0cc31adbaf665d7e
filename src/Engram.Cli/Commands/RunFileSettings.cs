using System.Globalization;
using Engram.Cli.Experiments;
using Engram.Evaluation;
using Engram.Streams;

namespace Engram.Cli.Commands;

/// <summary>What <c>engram run FILE.yaml</c> was asked for.</summary>
internal sealed record RunFileSettings : RunSettings
{
    /// <summary>What the run's settings call this experiment.</summary>
    public const string ExperimentName = "file";

    /// <summary>The copy of the file in the run's folder, which a run that goes on reads.</summary>
    public const string CopyName = "experiment.yaml";

    /// <summary>The file, as the user gave it.</summary>
    public required string Source { get; init; }

    /// <summary>Its text.</summary>
    public required string Text { get; init; }

    public required ExperimentFile File { get; init; }

    public override string Name => File.Name;

    public override string Title => $"{File.Stream.Kind} {File.Data.Source}";

    public override string Command => string.Create(
        CultureInfo.InvariantCulture, $"engram run {CommandLine.Quoted(Source)} --threads {Threads} --seed {File.Seed}{CommandLine.DataOption(Data)}");

    public override IReadOnlyDictionary<string, string> Files => new Dictionary<string, string> { [CopyName] = Text };

    /// <summary>Reads and checks a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="seed">A seed instead of the file's; null for the file's.</param>
    /// <param name="threads">Threads that compute.</param>
    /// <exception cref="UsageException">It is wrong; the message names file, line and key.</exception>
    public static RunFileSettings Read(string path, long? seed, int threads)
    {
        var file = ExperimentFile.Read(path, seed);
        return new RunFileSettings
        {
            Source = path,
            Text = System.IO.File.ReadAllText(path),
            File = file,
            Threads = threads,
        };
    }

    public static RunFileSettings Of(string folder, string file)
    {
        var saved = Parse<Saved>(file);
        return Read(Path.Combine(folder, CopyName), saved.Seed, saved.Threads) with
        {
            Source = saved.Source,
            Data = saved.Data,
            BeganWith = saved.DataFingerprint,
            Out = folder,
            Resumes = true,
        };
    }

    public override string FindData() => File.FindData(Data);

    public override string FingerprintOf(string path) => File.FingerprintOf(path);

    public override ExperimentDescription Describe(string path) => new()
    {
        Name = File.Name,
        Strategies = File.Strategies,
        Variant = File.Variants,
        Prequential = File.Evaluation.Prequential ?? File.Stream.Online is not null,
        AnytimeEvery = File.Evaluation.Every,
        ForwardTransfer = File.Evaluation.ForwardTransfer,
        SummaryMetrics = File.Evaluation.Metrics,
        Model = strategy => File.Model.Make(strategy, File.Data.ShapeIn(path)),
        Training = File.Training,
        Budget = new Retention.StrategyBudget(File.Memory),
        Settings = new Dictionary<string, string>
        {
            ["file"] = Path.GetFileName(Source),
            ["strategies"] = string.Join(", ", File.Strategies.Select(strategy => strategy.Name)),
            ["data"] = File.Data.Source + (File.Data.PerClass is { } few ? $", {few} training samples of each class" : ""),
            ["stream"] = File.Stream.Kind,
            ["model"] = $"{File.Model.Backbone}, {File.Model.Head} head",
            ["training"] = $"{Passes(File.Training)}, batches of {File.Training.BatchSize}",
            ["samples a memory may keep"] = File.Memory.ToString("N0", CultureInfo.InvariantCulture),
            ["seed"] = File.Seed.ToString(CultureInfo.InvariantCulture),
        },
    };

    public override ExperienceStream Stream(string path) => File.Load(path);

    public override string ToJson(string path) => Write(new Saved(
        ExperimentName, CommandLine.Version, RunEnvironment.ProgramSources, FingerprintOf(path), Command, Source, File.Seed, Threads, Data));

    private sealed record Saved(
        string Experiment, string Version, string Sources, string DataFingerprint, string Command, string Source, long Seed, int Threads,
        string? Data = null);
}
