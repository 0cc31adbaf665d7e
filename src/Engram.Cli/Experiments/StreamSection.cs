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

    private const string ClassKind = "class-incremental";
    private const string TaskKind = "task-incremental";
    private const string DomainKind = "domain-incremental";
    private const string PermutedKind = "permuted";
    private const string RotatedKind = "rotated";
    private const string BlurryKind = "blurry";
    private const string RepetitionKind = "repetition";

    // The kinds whose experiences are groups of classes, and nothing else.
    private static readonly string[] s_ofClasses = [ClassKind, TaskKind, DomainKind];

    /// <summary>What <see cref="Kind"/> may be.</summary>
    public static readonly IReadOnlyList<string> Kinds = [.. s_ofClasses, PermutedKind, RotatedKind, BlurryKind, RepetitionKind];

    // The kinds that read a key; keys of all kinds are not here.
    private static readonly (string Key, string[] Kinds)[] s_kindsOf =
    [
        ("groups", [.. s_ofClasses, BlurryKind]),
        ("experiences", [.. s_ofClasses, PermutedKind, BlurryKind, RepetitionKind]),
        ("shuffle", [.. s_ofClasses, BlurryKind]),
        ("degrees", [RotatedKind]),
        ("tasks", [PermutedKind, RotatedKind]),
        ("blur", [BlurryKind]),
        ("disjoint", [BlurryKind]),
        ("classes", [RepetitionKind]),
    ];

    // The library speaks of its parameters, which are no keys here.
    private static readonly Dictionary<string, string> s_keys = new() { ["count"] = "experiences", ["source"] = "kind" };

    /// <summary>What changes from experience to experience.</summary>
    public string Kind { get; init; } = ClassKind;

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
        TaskKind => Scenario.TaskIncremental,
        DomainKind => Scenario.DomainIncremental,
        PermutedKind or RotatedKind => Tasks ? Scenario.TaskIncremental : Scenario.DomainIncremental,
        _ => Scenario.ClassIncremental,
    };

    public void Check(YamlSection section)
    {
        if (!Kinds.Contains(Kind)) throw section.Problem("kind", $"\"{Kind}\", expected one of {string.Join(", ", Kinds)}");
        if (Experiences is < 1 or > MostExperiences) throw section.Problem("experiences", $"{Experiences}, expected 1 to {MostExperiences}");
        if (Online < 1) throw section.Problem("online", $"{Online}, expected 1 or more");
        if (Validation is not (null or (> 0 and < 1))) throw section.Problem("validation", $"{Text(Validation)}, expected above 0 and below 1");
        if (Kind == RotatedKind && Degrees is null) throw section.Problem("degrees", "missing, expected the angle of each experience");
        if (Degrees is { Count: 0 }) throw section.Problem("degrees", "an empty list, expected the angle of each experience");
        foreach (var (key, kinds) in s_kindsOf) section.OnlyWith(key, "kind", Kind, kinds);
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
        var stream = InKeys(() => Kind switch
        {
            PermutedKind => ExperienceStream.Permuted(data.Train, data.Test, Experiences, seed, Tasks),
            RotatedKind => ExperienceStream.Rotated(data.Train, data.Test, Degrees!, Tasks),
            TaskKind => ExperienceStream.TaskIncremental(data.Train, data.Test, GroupsOf(data.Train, seed)),
            DomainKind => ExperienceStream.DomainIncremental(data.Train, data.Test, GroupsOf(data.Train, seed)),
            BlurryKind => ExperienceStream.Blurry(data.Train, data.Test, GroupsOf(data.Train, seed), Blur!.Value, seed, Disjoint ?? 0),
            RepetitionKind => ExperienceStream.WithRepetition(data.Train, data.Test, Experiences, Classes!.Value, seed),
            _ => ExperienceStream.ClassIncremental(data.Train, data.Test, GroupsOf(data.Train, seed)),
        });
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
        return new TuningData(whole.Experiences, Validation ?? validation, seed, Online);
    }

    private static ExperienceStream InKeys(Func<ExperienceStream> make)
    {
        try
        {
            return make();
        }
        catch (ArgumentException problem)
            when (problem.Message.Split(": ", 2) is [var parameter, var said] && s_keys.TryGetValue(parameter, out var key))
        {
            throw new ArgumentException($"{key}: {said}", problem);
        }
    }

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
