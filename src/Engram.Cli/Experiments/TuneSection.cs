using System.Globalization;
using Engram.Evaluation;
using Engram.Evaluation.Tuning;
using YamlDotNet.RepresentationModel;

namespace Engram.Cli.Experiments;

/// <summary>What <c>engram tune</c> varies in an experiment's file, and how it searches.</summary>
internal sealed record TuneSection
{
    /// <summary>What <see cref="Method"/> may be.</summary>
    public static readonly IReadOnlyList<string> Methods = ["grid", "random", "halving", "continual"];

    /// <summary>What <see cref="Objective"/> may be: the greater, the better.</summary>
    public static readonly IReadOnlyList<string> Objectives =
    [
        MetricNames.FinalAverageAccuracy, MetricNames.AverageIncrementalAccuracy, MetricNames.LearningAccuracy, MetricNames.StabilityPlasticity,
        MetricNames.Remembering, MetricNames.MacroF1,
    ];

    /// <summary>The key of the learning rate, which the continual procedure searches first.</summary>
    public const string Rate = "training.optimizer.learningRate";

    /// <summary>How the search goes: one of <see cref="Methods"/>.</summary>
    public string Method { get; init; } = "random";

    /// <summary>Name of the strategy that is tuned; null where the file has only one.</summary>
    public string? Strategy { get; init; }

    /// <summary>Settings that are tried by chance, or in the first round of halving.</summary>
    public int Trials { get; init; } = 20;

    /// <summary>Seeds that each setting is measured with, from the file's.</summary>
    public int Seeds { get; init; } = 1;

    /// <summary>Share of each experience's training samples that is set aside to measure with.</summary>
    public double Validation { get; init; } = 0.1;

    /// <summary>The metric that decides: one of <see cref="Objectives"/>.</summary>
    public string Objective { get; init; } = Objectives[0];

    /// <summary>Points of each range of a grid, and rates of the continual procedure.</summary>
    public int Points { get; init; } = 5;

    /// <summary>η: of how many settings one goes on in halving.</summary>
    public int Eta { get; init; } = 3;

    /// <summary>Least share of the samples in a round of halving.</summary>
    public double LeastShare { get; init; } = 0.1;

    /// <summary>p of the continual procedure: share of the best accuracy that may be lost for old knowledge.</summary>
    public double Drop { get; init; } = 0.2;

    /// <summary>What the continual procedure multiplies the strength by.</summary>
    public double Decay { get; init; } = 0.5;

    /// <summary>Most attempts of the continual procedure in an experience.</summary>
    public int Attempts { get; init; } = 7;

    /// <summary>Rates the continual procedure tries after the first experience.</summary>
    public int LaterRates { get; init; } = 3;

    /// <summary>Reads the section of a file, with what it varies.</summary>
    /// <param name="text">The file.</param>
    /// <param name="method">A method instead of the file's; null for the file's.</param>
    /// <exception cref="UsageException">It is wrong, the message names file, line and key; or the method is none.</exception>
    public static (TuneSection Section, IReadOnlyList<SearchDimension> Vary) Read(ExperimentText text, string? method = null)
    {
        if (method is not null && !Methods.Contains(method))
            throw new UsageException($"--method: \"{method}\", expected one of {string.Join(", ", Methods)}");
        var section = text.Top.Section("tune")
            ?? throw text.Top.Problem("tune", "missing, expected a section that says what to vary (see: engram tune --help)");
        section.Expect([.. YamlValues.PropertiesOf(typeof(TuneSection)).Keys, "vary"]);
        var read = (TuneSection)YamlValues.Options(
            text.Top, "tune", Without(section, "vary"), typeof(TuneSection));
        if (method is not null) read = read with { Method = method };
        read.Check(section);
        var vary = section.Section("vary") ?? throw section.Problem("vary", "missing, expected keys of this file with what to try");
        SearchDimension[] dimensions = [.. vary.Keys.Select(key => Dimension(text, vary, key))];
        if (dimensions.Length == 0) throw section.Problem("vary", "empty, expected keys of this file with what to try");
        return (read, dimensions);
    }

    /// <summary>The search; not for the continual procedure.</summary>
    public Search Search(IReadOnlyList<SearchDimension> vary, long seed) => Method switch
    {
        "grid" => new GridSearch(vary, Points),
        "halving" => new SuccessiveHalving(vary, Trials, seed, Eta, LeastShare),
        _ => new RandomSearch(vary, Trials, seed),
    };

    /// <summary>The continual procedure, and the key whose value is the strength.</summary>
    /// <exception cref="UsageException">What is varied is not a rate and a strength.</exception>
    public (ContinualTuningOptions Options, string Strength) Continual(ExperimentText text, IReadOnlyList<SearchDimension> vary)
    {
        var section = text.Top.Section("tune")!;
        var varied = section.Section("vary")!;
        var rate = vary.FirstOrDefault(dimension => dimension.Key == Rate);
        if (vary.Count != 2 || rate is null)
            throw section.Problem("vary", $"{string.Join(", ", vary.Select(dimension => dimension.Key))}, expected {Rate} and one strength, "
                + "which is what the continual procedure chooses");
        var strength = vary.First(dimension => dimension != rate);
        if (strength.IsRange || strength.Choices.Count != 1 || Number(strength.Choices[0]) is not { } start)
            throw varied.Problem(strength.Key, "expected one number to begin with, such as [10000]; it is multiplied by tune.decay");
        double[] rates = [.. rate.Points(Points).Select(point => Number(point) ?? throw varied.Problem(Rate, $"\"{point}\", expected numbers"))];
        return (new ContinualTuningOptions
        {
            Rates = rates,
            Strength = start,
            Decay = Decay,
            Drop = Drop,
            Attempts = Attempts,
            LaterRates = LaterRates,
        }, strength.Key);
    }

    private void Check(YamlSection section)
    {
        if (!Methods.Contains(Method)) throw section.Problem("method", $"\"{Method}\", expected one of {string.Join(", ", Methods)}");
        if (!Objectives.Contains(Objective))
            throw section.Problem("objective", $"\"{Objective}\", expected one of {string.Join(", ", Objectives)}");
        foreach (var (key, value, least) in new[]
        {
            ("trials", Trials, 1), ("seeds", Seeds, 1), ("points", Points, 2), ("eta", Eta, 2), ("attempts", Attempts, 1), ("laterRates", LaterRates, 1),
        })
            if (value < least) throw section.Problem(key, $"{value}, expected {least} or more");
        if (Validation is not (> 0 and < 1)) throw section.Problem("validation", $"{Text(Validation)}, expected above 0 and below 1");
        if (LeastShare is not (> 0 and <= 1)) throw section.Problem("leastShare", $"{Text(LeastShare)}, expected above 0, at most 1");
        if (Drop is not (>= 0 and < 1)) throw section.Problem("drop", $"{Text(Drop)}, expected 0 or more, below 1");
        if (Decay is not (> 0 and < 1)) throw section.Problem("decay", $"{Text(Decay)}, expected above 0 and below 1");
    }

    // A list of values, or from and to; every value is tried out on the file before anything is learnt.
    private static SearchDimension Dimension(ExperimentText text, YamlSection vary, string key)
    {
        var present = text.ValueAt(key, problem => vary.Problem(key, problem));
        SearchDimension dimension;
        try
        {
            dimension = vary[key] is YamlSequenceNode list
                ? SearchDimension.Of(key, [.. list.Children.Select(value => value is YamlScalarNode { Value: { } word }
                    ? word
                    : throw vary.Problem(value, $"{vary.PathOf(key)}: {YamlSection.Kind(value)}, expected a single value"))])
                : Range(vary.Section(key)!, key, present.Value ?? "");
        }
        catch (ArgumentException problem)
        {
            throw vary.Problem(vary[key]!, $"{vary.PathOf(key)}: {problem.Message}", problem);
        }
        var plain = text.Without("tune", "perExperience");
        foreach (var value in dimension.Points(2))
            try
            {
                ExperimentFile.Parse(plain.With(new Dictionary<string, string> { [key] = value }));
            }
            catch (YamlProblem problem) // its line is that of a file with other values, which is nobody's
            {
                throw vary.Problem(vary[key]!, $"{vary.PathOf(key)}: {value}: {problem.Said}", problem);
            }
        return dimension;
    }

    private static SearchDimension Range(YamlSection range, string key, string present)
    {
        range.Expect("from", "to", "scale");
        if (range.Value("scale", "log") is var scale && scale is not ("log" or "linear"))
            throw range.Problem("scale", $"\"{scale}\", expected log or linear");
        double End(string name) => range[name] is null
            ? throw range.Problem(name, "missing, expected a number; or a list of values in place of from and to")
            : range.Value(name, 0.0);
        // Whole numbers stay whole: memory and epochs have no fractions. 1.0 to 10.0 has.
        var whole = new[] { present, Raw(range, "from"), Raw(range, "to") }
            .All(word => long.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _));
        return SearchDimension.Range(key, End("from"), End("to"), scale == "log", whole);
    }

    private static string Raw(YamlSection section, string key) => (section[key] as YamlScalarNode)?.Value ?? "";

    private static YamlMappingNode Without(YamlSection section, string key) => new(((YamlMappingNode)section.Node).Children
        .Where(pair => (pair.Key as YamlScalarNode)?.Value != key).SelectMany(pair => new[] { pair.Key, pair.Value }));

    private static double? Number(string word) => double.TryParse(word, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
