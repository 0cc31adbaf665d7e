using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Engram.Evaluation;

namespace Engram.Cli.Commands;

/// <summary>What <c>engram run digits</c> was asked for.</summary>
internal sealed record RunDigitsSettings
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

    public required DigitsOptions Digits { get; init; }

    public required int Threads { get; init; }

    public string? Out { get; init; }

    public string? Data { get; init; }

    public bool Json { get; init; }

    /// <summary>How often the run keeps its place inside a phase.</summary>
    public TimeSpan SaveEvery { get; init; } = ExperimentCheckpoints.DefaultEvery;

    /// <summary>Whether <see cref="Out"/> holds a run that goes on.</summary>
    public bool Resumes { get; init; }

    /// <summary>The command that repeats the run; without folders, which are nobody else's.</summary>
    public string Command => string.Create(CultureInfo.InvariantCulture,
        $"engram run digits --strategies {string.Join(',', Digits.Strategies)} --epochs {Digits.Epochs} "
        + $"--seed {Digits.Seed} --threads {Threads}{(Digits.Quick ? " --quick" : "")}");

    /// <summary>The settings as JSON, for <see cref="FileName"/>.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new Saved(
            "digits", CommandLine.Version, Command, Digits.Strategies, Digits.Epochs, Digits.Seed, Digits.Capacity, Threads,
            Digits.Quick, Digits.Quick ? Digits.QuickTrain : null, Digits.Quick ? Digits.QuickTest : null),
        s_json);

    /// <summary>The settings of a run that goes on.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <exception cref="UsageException">There is no run, or one of another experiment or version.</exception>
    public static RunDigitsSettings Of(string folder)
    {
        var file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
            throw new UsageException($"--resume: \"{folder}\" holds no run, expected a folder with {FileName}");
        Saved saved;
        try
        {
            saved = JsonSerializer.Deserialize<Saved>(File.ReadAllText(file), s_json) ?? throw new JsonException("null");
        }
        catch (JsonException problem)
        {
            throw new UsageException($"--resume: {file} is damaged ({problem.Message}), expected it as the run wrote it", problem);
        }
        if (saved.Experiment != "digits")
            throw new UsageException($"--resume: {file}: experiment \"{saved.Experiment}\", expected digits");
        // Half a run of one version and half of another would be a result of neither.
        if (saved.Version != CommandLine.Version)
            throw new UsageException(
                $"--resume: {file}: version {saved.Version} began this run, expected {CommandLine.Version}, which this is");
        var standard = new DigitsOptions();
        return new RunDigitsSettings
        {
            Digits = new DigitsOptions
            {
                Strategies = saved.Strategies,
                Epochs = saved.Epochs,
                Seed = saved.Seed,
                Capacity = saved.Capacity,
                Quick = saved.Quick,
                QuickTrain = saved.QuickTrain ?? standard.QuickTrain,
                QuickTest = saved.QuickTest ?? standard.QuickTest,
            },
            Threads = saved.Threads,
            Out = folder,
            Resumes = true,
        };
    }

    private sealed record Saved(
        string Experiment, string Version, string Command, IReadOnlyList<string> Strategies, int Epochs, long Seed,
        int Capacity, int Threads, bool Quick, int? QuickTrain = null, int? QuickTest = null);
}
