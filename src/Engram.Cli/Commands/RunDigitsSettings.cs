using System.Globalization;
using Engram.Cli.Experiments;
using Engram.Data;
using Engram.Evaluation;
using Engram.Streams;

namespace Engram.Cli.Commands;

/// <summary>What <c>engram run digits</c> was asked for.</summary>
internal sealed record RunDigitsSettings : RunSettings
{
    /// <summary>What the run's settings call this experiment.</summary>
    public const string ExperimentName = "digits";
    private const string What = "data: ";

    public required DigitsOptions Digits { get; init; }

    public override string Name => ExperimentName;

    public override string Title => "0-4, then 5-7, then 8 and 9";

    public override string Command => string.Create(CultureInfo.InvariantCulture,
        $"engram run digits --strategies {string.Join(',', Digits.Strategies)} --epochs {Digits.Epochs} "
        + $"--seed {Digits.Seed} --threads {Threads}{(Digits.Quick ? " --quick" : "")}{CommandLine.DataOption(Data)}");

    public override string FindData() => DataFolder.Mnist(Data);

    public override string FingerprintOf(string path) => DataFolder.Reading(() => DataFingerprint.Of(path, Mnist.FilesIn(path)), What);

    public override ExperimentDescription Describe(string path) => Experiment().Description;

    public override ExperienceStream Stream(string path) => Experiment().Stream(DataFolder.Reading(() => Mnist.Load(path), What));

    public override string ToJson(string path) => Write(new Saved(
        ExperimentName, CommandLine.Version, RunEnvironment.ProgramSources, FingerprintOf(path), Command, Digits.Strategies, Digits.Epochs, Digits.Seed, Digits.Capacity, Threads,
        Digits.Quick, Digits.Quick ? Digits.QuickTrain : null, Digits.Quick ? Digits.QuickTest : null, Data));

    public static RunDigitsSettings Of(string folder, string file)
    {
        var (saved, standard) = (Parse<Saved>(file), new DigitsOptions());
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
            Data = saved.Data,
            BeganWith = saved.DataFingerprint,
            Out = folder,
            Resumes = true,
        };
    }

    private DigitsExperiment Experiment()
    {
        try
        {
            return new DigitsExperiment(Digits);
        }
        catch (ArgumentException problem)
        {
            throw new UsageException($"--{problem.Message}", problem);
        }
    }

    private sealed record Saved(
        string Experiment, string Version, string Sources, string DataFingerprint, string Command, IReadOnlyList<string> Strategies, int Epochs, long Seed,
        int Capacity, int Threads, bool Quick, int? QuickTrain = null, int? QuickTest = null, string? Data = null);
}
