using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Engram.Cli.Experiments;
using Engram.Evaluation;
using Engram.Streams;

namespace Engram.Cli.Commands;

/// <summary>What <c>engram run</c> was asked for, whatever the experiment.</summary>
internal abstract record RunSettings
{
    /// <summary>The file in a run's folder that keeps the settings.</summary>
    public const string FileName = "settings.json";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public required int Threads { get; init; }

    public string? Out { get; init; }

    /// <summary>Where the data are, as the user gave it; null for where the experiment says, or where they are found.</summary>
    public string? Data { get; init; }

    public bool Json { get; init; }

    /// <summary>How often the run keeps its place inside an experience.</summary>
    public TimeSpan SaveEvery { get; init; } = ExperimentCheckpoints.DefaultEvery;

    /// <summary>Whether <see cref="Out"/> holds a run that goes on.</summary>
    public bool Resumes { get; init; }

    /// <summary>Fingerprint of the data that the run began with; null of one that is to begin.</summary>
    public string? BeganWith { get; init; }

    /// <summary>What to call the run's folder and the experiment.</summary>
    public abstract string Name { get; }

    /// <summary>What is learnt, in a line.</summary>
    public abstract string Title { get; }

    /// <summary>The command that repeats the run; without the folder of results, which is nobody else's.</summary>
    public abstract string Command { get; }

    /// <summary>Files that describe the run, by name, beside <see cref="FileName"/>.</summary>
    public virtual IReadOnlyDictionary<string, string> Files => new Dictionary<string, string>();

    /// <summary>Where the data are.</summary>
    /// <exception cref="UsageException">They are nowhere, or do not fit the model.</exception>
    public abstract string FindData();

    /// <summary>Tells the data apart from others, see <see cref="DataFingerprint"/>.</summary>
    /// <param name="path">Where the data are.</param>
    /// <exception cref="UsageException">A file is not there.</exception>
    public abstract string FingerprintOf(string path);

    /// <summary>Checks that a run goes on with the data that it began with.</summary>
    /// <param name="path">Where the data are.</param>
    /// <exception cref="UsageException">They are others.</exception>
    public void CheckData(string path)
    {
        if (FingerprintOf(path) is var now && now != BeganWith)
            throw new UsageException(
                $"--resume: {Path.Combine(Out!, FileName)}: data of fingerprint {BeganWith} began this run, expected them, but those in \"{path}\" have {now}");
    }

    /// <summary>Checks everything; loads nothing heavy.</summary>
    /// <param name="path">Where the data are.</param>
    /// <exception cref="UsageException">A setting is wrong.</exception>
    public abstract ExperimentDescription Describe(string path);

    /// <summary>Loads the data.</summary>
    /// <param name="path">Where they are.</param>
    /// <exception cref="UsageException">The stream does not fit the data.</exception>
    public abstract ExperienceStream Stream(string path);

    /// <summary>The settings as JSON, for <see cref="FileName"/>.</summary>
    /// <param name="path">Where the data are.</param>
    public abstract string ToJson(string path);

    /// <summary>How many passes or steps, in a few words.</summary>
    public static string Passes(Learning.LearnerOptions training) => training.Iterations is { } steps
        ? string.Create(CultureInfo.InvariantCulture, $"{steps} steps per experience")
        : string.Create(CultureInfo.InvariantCulture, $"{training.Epochs} epoch(s)");

    /// <summary>The settings of a run that goes on.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <exception cref="UsageException">There is no run, or one of another version.</exception>
    public static RunSettings Of(string folder)
    {
        var file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
            throw new UsageException($"--resume: \"{folder}\" holds no run, expected a folder with {FileName}");
        var head = Parse<Head>(file);
        if (head.Experiment is not (RunDigitsSettings.ExperimentName or RunFileSettings.ExperimentName))
            throw new UsageException(
                $"--resume: {file}: experiment \"{head.Experiment}\", expected {RunDigitsSettings.ExperimentName} or {RunFileSettings.ExperimentName}");
        // Half a run of one version and half of another would be a result of neither.
        if (head.Version != CommandLine.Version)
            throw new UsageException(
                $"--resume: {file}: version {head.Version} began this run, expected {CommandLine.Version}, which this is");
        // Between two commits there are other sources too.
        if (head.Sources != RunEnvironment.ProgramSources)
            throw new UsageException(
                $"--resume: {file}: sources {head.Sources ?? "of no fingerprint"} began this run, expected {RunEnvironment.ProgramSources}, which these are");
        return head.Experiment == RunDigitsSettings.ExperimentName
            ? RunDigitsSettings.Of(folder, file)
            : RunFileSettings.Of(folder, file);
    }

    protected static string Write<T>(T settings) => JsonSerializer.Serialize(settings, s_json);

    protected static T Parse<T>(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllText(file), s_json) ?? throw new JsonException("null");
        }
        catch (JsonException problem)
        {
            throw new UsageException($"--resume: {file} is damaged ({problem.Message}), expected it as the run wrote it", problem);
        }
    }

    private sealed record Head(string Experiment, string Version, string? Sources = null);
}
