using System.Globalization;
using System.Text.Json;
using Engram.Evaluation;

namespace Engram.Cli.Commands;

/// <summary>What <c>engram run digits</c> was asked for.</summary>
internal sealed record RunDigitsSettings
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public required DigitsOptions Digits { get; init; }

    public required int Threads { get; init; }

    public string? Out { get; init; }

    public string? Data { get; init; }

    public bool Json { get; init; }

    /// <summary>The command that repeats the run; without folders, which are nobody else's.</summary>
    public string Command => string.Create(CultureInfo.InvariantCulture,
        $"engram run digits --strategies {string.Join(',', Digits.Strategies)} --epochs {Digits.Epochs} "
        + $"--seed {Digits.Seed} --threads {Threads}{(Digits.Quick ? " --quick" : "")}");

    /// <summary>The settings as JSON, for <c>settings.json</c>.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            Experiment = "digits",
            Command,
            Digits.Strategies,
            Digits.Epochs,
            Digits.Seed,
            Digits.Capacity,
            Threads,
            Digits.Quick,
            QuickTrain = Digits.Quick ? Digits.QuickTrain : (int?)null,
            QuickTest = Digits.Quick ? Digits.QuickTest : (int?)null,
        }, s_json);
}
