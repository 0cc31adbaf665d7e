using System.Globalization;
using Engram.Cli.Experiments;
using Engram.Evaluation.Tuning;

namespace Engram.Cli.Commands.Tune;

/// <summary>What <c>engram tune</c> was asked for: a file with a section <c>tune</c>, read and checked.</summary>
internal sealed record TuneSettings
{
    /// <summary>Name of the file that is written with the values chosen.</summary>
    public const string ChosenName = "chosen.yaml";

    /// <summary>The method that is no search of trials.</summary>
    public const string Continual = "continual";

    public required ExperimentText Text { get; init; }

    public required ExperimentFile File { get; init; }

    public required TuneSection Section { get; init; }

    public required IReadOnlyList<SearchDimension> Vary { get; init; }

    /// <summary>The strategy that is tuned.</summary>
    public required string Strategy { get; init; }

    public required int Jobs { get; init; }

    public required string Out { get; init; }

    /// <summary>Where the data are, as the user gave it; null where they were found.</summary>
    public string? Data { get; init; }

    /// <summary>Where the data are.</summary>
    public string Source { get; init; } = "";

    /// <summary>Fingerprint of the data.</summary>
    public string Fingerprint { get; init; } = "";

    /// <summary>The one trial to measure; null for the whole search.</summary>
    public int? Only { get; init; }

    /// <summary>The share of the samples that trial is measured on.</summary>
    public double Share { get; init; } = 1;

    public bool Json { get; init; }

    /// <summary>The file without what is not the experiment's: what a trial is made of.</summary>
    public ExperimentText Plain => Text.Without("tune");

    /// <summary>The command that repeats the search; without the folder of results, which is nobody else's.</summary>
    public string Command => string.Create(
        CultureInfo.InvariantCulture,
        $"engram tune {CommandLine.Quoted(Text.File)} --method {Section.Method} --seed {Seed}"
        + $"{(Section.Method == Continual ? $" --jobs {Jobs}" : "")}{CommandLine.DataOption(Data)}");

    /// <summary>The command that measures one trial again.</summary>
    public string CommandOf(Trial trial) => string.Create(
        CultureInfo.InvariantCulture, $"{Command} --only {trial.Number}{(trial.Share < 1 ? " --share " : "")}{(trial.Share < 1 ? trial.Share : null)}");

    /// <summary>The settings as a reader wants them.</summary>
    public IReadOnlyDictionary<string, string> Readable => new Dictionary<string, string>
    {
        ["file"] = Path.GetFileName(Text.File),
        ["strategy"] = Strategy,
        ["method"] = Section.Method,
        ["objective"] = Section.Method == Continual
            ? "accuracy on the present experience among its own classes"
            : Section.Objective,
        ["validation"] = $"{Number(File.Stream.Validation ?? Section.Validation)} of each experience's training samples",
        ["seeds"] = string.Join(", ", Seeds),
        ["vary"] = string.Join("; ", Vary.Select(Readably)),
    };

    /// <summary>The seeds of each trial.</summary>
    public IReadOnlyList<long> Seeds =>
        [.. Enumerable.Range(0, Section.Method == Continual ? 1 : Section.Seeds).Select(place => File.Seed + place)];

    private string Seed => File.Seed.ToString(CultureInfo.InvariantCulture);

    /// <summary>Reads and checks a file; loads nothing heavy.</summary>
    /// <param name="path">The file.</param>
    /// <param name="method">A method instead of the file's; null for the file's.</param>
    /// <param name="seed">A seed instead of the file's; null for the file's.</param>
    /// <exception cref="UsageException">It is wrong; the message names file, line and key.</exception>
    public static TuneSettings Read(string path, string? method, long? seed)
    {
        var text = ExperimentText.Read(path);
        var file = ExperimentFile.Parse(text, seed);
        if (file.PerExperience.Count > 0)
            throw text.Top.Problem(ExperienceValues.Key, "given, expected none in a file that is tuned: what is tuned is the same in all experiences");
        var (section, vary) = TuneSection.Read(text, method);
        var tune = text.Top.Section("tune")!;
        var names = file.Strategies.Select(known => known.Name).ToArray();
        var strategy = section.Strategy ?? (names.Length == 1
            ? names[0]
            : throw tune.Problem("strategy", $"missing, expected one of {string.Join(", ", names)}"));
        if (!names.Contains(strategy))
            throw tune.Problem("strategy", $"\"{strategy}\", expected one of {string.Join(", ", names)}");
        return new TuneSettings
        {
            Text = text,
            File = file,
            Section = section,
            Vary = vary,
            Strategy = strategy,
            Jobs = 1,
            Out = Path.Combine("runs", $"tune-{file.Name}"),
        };
    }

    /// <summary>The cells of a trial, one per seed.</summary>
    public IReadOnlyList<TrialCell> Cells(Trial trial)
    {
        var text = Plain.With(trial.Values).Text;
        return [.. Seeds.Select(seed => new TrialCell(text, Strategy, seed, trial.Share, Section.Validation, Fingerprint, DataSets.ReaderOf(File.Data.Source)))];
    }

    /// <summary>A name for the place of this search: the same search by the same code on as many threads has the same.</summary>
    public string PlaceName => TrialCell.Fingerprint(new
    {
        Plain.Text,
        Section = $"{Section}",
        Vary = Readable["vary"],
        Jobs,
        Strategy,
        File.Seed,
        Fingerprint,
        Reader = DataSets.ReaderOf(File.Data.Source),
    });

    private static string Readably(SearchDimension dimension) => dimension.IsRange
        ? $"{dimension.Key} from {Number(dimension.From)} to {Number(dimension.To)}, {(dimension.Logarithmic ? "log" : "linear")}"
        : $"{dimension.Key}: {string.Join(", ", dimension.Choices)}";

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
