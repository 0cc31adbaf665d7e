using System.Globalization;
using Engram.Data;
using Engram.Evaluation;
using Engram.Evaluation.Benchmarks;
using Engram.Evaluation.Tuning;
using Engram.Learning;
using Engram.Streams;

namespace Engram.Cli.Experiments;

/// <summary>How samples become a stream of experiences.</summary>
internal sealed record StreamSection
{
    private const int MostExperiences = 10_000;

    /// <summary>What <see cref="Kind"/> may be.</summary>
    public static readonly IReadOnlyList<string> Kinds =
        ["class-incremental", "task-incremental", "domain-incremental", "permuted", "rotated", BlurryKind, RepetitionKind];

    private const string BlurryKind = "blurry";
    private const string RepetitionKind = "repetition";

    // The kinds that read a key; keys of all kinds are not here.
    private static readonly (string Key, string[] Kinds)[] s_kindsOf =
    [
        ("groups", ["class-incremental", "task-incremental", "domain-incremental", BlurryKind]),
        ("experiences", ["class-incremental", "task-incremental", "domain-incremental", "permuted", BlurryKind, RepetitionKind]),
        ("shuffle", ["class-incremental", "task-incremental", "domain-incremental", BlurryKind]),
        ("degrees", ["rotated"]),
        ("tasks", ["permuted", "rotated"]),
        ("blur", [BlurryKind]),
        ("disjoint", [BlurryKind]),
        ("classes", [RepetitionKind]),
    ];

    /// <summary>What changes from experience to experience.</summary>
    public string Kind { get; init; } = "class-incremental";

    /// <summary>The classes of each experience; null shares them out evenly.</summary>
    public IReadOnlyList<IReadOnlyList<string>>? Groups { get; init; }

    /// <summary>How many experiences, where no groups are given.</summary>
    public int Experiences { get; init; } = 5;

    /// <summary>Whether the seed deals the classes to the experiences, where no groups are given.</summary>
    public bool Shuffle { get; init; }

    /// <summary>The angle of each experience of a rotated stream.</summary>
    public IReadOnlyList<double>? Degrees { get; init; }

    /// <summary>Whether the task is told, in a permuted or rotated stream.</summary>
    public bool Tasks { get; init; }

    /// <summary>M of a blurry stream: the share of each class's samples that comes in other experiences, 0 to 1.</summary>
    public double? Blur { get; init; }

    /// <summary>N of a blurry stream: the share of classes that stay sharp, 0 to 1; null for none.</summary>
    public double? Disjoint { get; init; }

    /// <summary>Classes of each experience of a stream whose classes come back.</summary>
    public int? Classes { get; init; }

    /// <summary>Cuts experiences into pieces of so many samples that pass once; null for none.</summary>
    public int? Online { get; init; }

    /// <summary>The share of training samples set aside for validation; null for none.</summary>
    public double? Validation { get; init; }

    public Scenario Scenario => Kind switch
    {
        "task-incremental" => Scenario.TaskIncremental,
        "domain-incremental" => Scenario.DomainIncremental,
        "permuted" or "rotated" => Tasks ? Scenario.TaskIncremental : Scenario.DomainIncremental,
        _ => Scenario.ClassIncremental,
    };

    public void Check(YamlSection section)
    {
        if (!Kinds.Contains(Kind)) throw section.Problem("kind", $"\"{Kind}\", expected one of {string.Join(", ", Kinds)}");
        if (Experiences is < 1 or > MostExperiences) throw section.Problem("experiences", $"{Experiences}, expected 1 to {MostExperiences}");
        if (Online < 1) throw section.Problem("online", $"{Online}, expected 1 or more");
        if (Validation is not (null or (> 0 and < 1))) throw section.Problem("validation", $"{Text(Validation)}, expected above 0 and below 1");
        if (Kind == "rotated" && Degrees is null) throw section.Problem("degrees", "missing, expected the angle of each experience");
        if (Degrees is { Count: 0 }) throw section.Problem("degrees", "an empty list, expected the angle of each experience");
        // A key that would be passed over in silence is a mistake.
        foreach (var (key, kinds) in s_kindsOf)
            if (!kinds.Contains(Kind) && section.Gives(key))
                throw section.Problem(key, $"given, expected none with kind {Kind}, for it is a key of {string.Join(", ", kinds)}");
        foreach (var key in new[] { "experiences", "shuffle" })
            if (Groups is not null && section.Gives(key)) throw section.Problem(key, "given beside groups, expected one or the other");
        if (Kind == BlurryKind && Blur is not (>= 0 and <= 1))
            throw section.Problem("blur", $"{(Blur is null ? "missing" : Text(Blur))}, expected the share of each class's samples that comes in other experiences, 0 to 1");
        if (Kind == BlurryKind && (Groups?.Count ?? Experiences) is < 2 and var alone)
            throw section.Problem(Groups is null ? "experiences" : "groups", $"{alone}, expected 2 or more with kind {BlurryKind}, whose experiences share samples");
        if (Disjoint is not (null or (>= 0 and <= 1))) throw section.Problem("disjoint", $"{Text(Disjoint)}, expected 0 to 1");
        if (Kind == RepetitionKind && Classes is not >= 1)
            throw section.Problem("classes", $"{(Classes is null ? "missing" : Text(Classes))}, expected how many classes each experience has, 1 or more");
        if (Groups?.Any(group => group.Count == 0) == true) throw section.Problem("groups", "an empty group, expected one class or more");
    }

    /// <summary>Makes the stream.</summary>
    /// <exception cref="ArgumentException">The classes do not fit.</exception>
    public ExperienceStream Make(TrainAndTest data, long seed)
    {
        var stream = Kind switch
        {
            "permuted" => ExperienceStream.Permuted(data.Train, data.Test, Experiences, seed, Tasks),
            "rotated" => ExperienceStream.Rotated(data.Train, data.Test, Degrees!, Tasks),
            "task-incremental" => ExperienceStream.TaskIncremental(data.Train, data.Test, GroupsOf(data.Train, seed)),
            "domain-incremental" => ExperienceStream.DomainIncremental(data.Train, data.Test, GroupsOf(data.Train, seed)),
            BlurryKind => ExperienceStream.Blurry(data.Train, data.Test, GroupsOf(data.Train, seed), Blur!.Value, seed, Disjoint ?? 0),
            RepetitionKind => ExperienceStream.WithRepetition(data.Train, data.Test, Repeated(data.Train), Classes!.Value, seed),
            _ => ExperienceStream.ClassIncremental(data.Train, data.Test, GroupsOf(data.Train, seed)),
        };
        if (Validation is { } share) stream = stream.WithValidation(share, seed);
        return Online is { } size ? stream.Online(size, seed) : stream;
    }

    /// <summary>What a search may see: experiences of training samples, some of them set aside to measure with.</summary>
    /// <param name="train">Training samples.</param>
    /// <param name="validation">Share to set aside, where the file sets none aside itself.</param>
    /// <param name="seed">Decides the order of classes, and what is set aside.</param>
    /// <exception cref="ArgumentException">The classes do not fit.</exception>
    public TuningData ForTuning(ISampleSource train, double validation, long seed)
    {
        // A stream wants tests; a search has none to give.
        var none = new EvaluationSet("none", new SubsetSource(train, []));
        var whole = (this with { Online = null }).Make(new TrainAndTest(train, none), seed);
        return new TuningData(whole.Experiences, validation, seed, Online);
    }

    // The library speaks of a count, which is no key here.
    private int Repeated(ISampleSource source) => (long)Experiences * Classes!.Value >= source.Labels.Count
        ? Experiences
        : throw new ArgumentException($"experiences: {Experiences} of {Classes} classes, expected room for all {source.Labels.Count} classes");

    private static string Text(IFormattable? value) => value?.ToString(null, CultureInfo.InvariantCulture) ?? "";

    private Label[][] GroupsOf(ISampleSource source, long seed)
    {
        if (Groups is not null) return [.. Groups.Select(group => group.Select(name => new Label(name)).ToArray())];
        var labels = source.Labels.ToArray();
        if (labels.Length < Experiences)
            throw new ArgumentException($"experiences: {Experiences}, expected at most the {labels.Length} classes");
        if (Shuffle) new SeededRandom(seed, "contexts").Shuffle<Label>(labels);
        return [.. Enumerable.Range(0, Experiences).Select(i =>
            labels[(i * labels.Length / Experiences)..((i + 1) * labels.Length / Experiences)])];
    }
}
