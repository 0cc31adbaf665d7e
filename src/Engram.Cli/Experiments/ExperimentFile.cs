using Engram.Cli.Commands;
using Engram.Evaluation;
using Engram.Evaluation.Tuning;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using YamlDotNet.RepresentationModel;

namespace Engram.Cli.Experiments;

/// <summary>An experiment as a file describes it; every key of the file is a property here.</summary>
internal sealed record ExperimentFile
{
    /// <summary>The keys of the top.</summary>
    public static IReadOnlyList<string> Keys { get; } =
        ["name", "data", "stream", "model", "training", "evaluation", "memory", "strategies", "seed", "perExperience", "tune"];

    /// <summary>The file as keys and values, for what turns out to be wrong when the data are there.</summary>
    public required YamlSection Top { get; init; }

    public string Name { get; init; } = "experiment";

    public DataSection Data { get; init; } = new();

    public StreamSection Stream { get; init; } = new();

    public ModelSection Model { get; init; } = new();

    /// <summary>As in the file: scenario, seed and first labels follow from the rest.</summary>
    public LearnerOptions Training { get; init; } = new();

    public EvaluationSection Evaluation { get; init; } = new();

    /// <summary>Samples that memories may keep, for strategies named by name alone.</summary>
    public int Memory { get; init; } = 1000;

    public IReadOnlyList<Strategy> Strategies { get; init; } = [];

    public long Seed { get; init; }

    /// <summary>The file as it is in each experience, where values differ; empty where they do not. The last goes on.</summary>
    public IReadOnlyList<ExperimentFile> PerExperience { get; init; } = [];

    /// <summary>Keys of <c>training</c>: those of <see cref="LearnerOptions"/> that no other part of the file decides.</summary>
    public static IEnumerable<string> TrainingKeys =>
        YamlValues.PropertiesOf(typeof(LearnerOptions)).Keys.Except(["scenario", "seed", "initialLabels"]);

    /// <summary>Reads and checks a file; nothing heavy is loaded.</summary>
    /// <param name="path">The file.</param>
    /// <param name="seed">A seed instead of the file's; null for the file's.</param>
    /// <exception cref="UsageException">It is wrong; the message names file, line and key.</exception>
    public static ExperimentFile Read(string path, long? seed = null) => Parse(ExperimentText.Read(path), seed);

    /// <summary>Reads and checks the text of a file; nothing heavy is loaded.</summary>
    /// <param name="text">The text.</param>
    /// <param name="seed">A seed instead of the file's; null for the file's.</param>
    /// <exception cref="UsageException">It is wrong; the message names file, line and key.</exception>
    public static ExperimentFile Parse(ExperimentText text, long? seed = null)
    {
        var top = text.Top;
        top.Expect(Keys);
        var file = new ExperimentFile
        {
            Top = top,
            Name = top.Value("name", "experiment"),
            Data = top.Value("data", new DataSection()),
            Stream = top.Value("stream", new StreamSection()),
            Model = top.Value("model", new ModelSection()),
            Training = TrainingOf(top),
            Evaluation = top.Value("evaluation", new EvaluationSection()),
            Memory = top.Value("memory", 1000),
            Seed = seed ?? top.Value("seed", 0L),
        };
        if (file.Name.Length is 0 or > 60 || file.Name.Any(letter => !char.IsLetterOrDigit(letter) && letter is not ('-' or '_' or ' ' or '.')))
            throw top.Problem("name", $"\"{file.Name}\", expected 1 to 60 letters, digits, spaces, dots and dashes");
        if (file.Memory < 1) throw top.Problem("memory", $"{file.Memory}, expected 1 or more");
        if (file.Seed < 0) throw top.Problem("seed", $"{file.Seed}, expected 0 or more");
        file.Data.Check(top.Section("data") ?? top);
        file.Stream.Check(top.Section("stream") ?? top);
        file.Model.Check(top.Section("model") ?? top);
        file.Evaluation.Check(top.Section("evaluation") ?? top, file.Stream);
        file = file with { Training = file.Training with { Scenario = file.Stream.Scenario, Seed = file.Seed } };
        file = file with { Strategies = file.StrategiesOf(top), PerExperience = ExperienceValues.Read(text, seed) };
        if (file.Data.KnownShape is { } shape) file.CheckBackbone(shape);
        return file;
    }

    /// <summary>How the experience at a position is learnt, for <see cref="ExperimentDescription.Variant"/>; null for all alike.</summary>
    public ExperienceVariants? Variants => PerExperience.Count == 0
        ? null
        : (position, name) =>
        {
            var then = PerExperience[Math.Min(position, PerExperience.Count - 1)];
            return (then.Training, then.Strategies.First(strategy => strategy.Name == name));
        };

    /// <summary>Where the data are, which every model can read.</summary>
    /// <param name="asked">Where the user says that they are; null for where the file says, or where they are found.</param>
    /// <exception cref="UsageException">They are nowhere, or a model reads other samples.</exception>
    public string FindData(string? asked)
    {
        var path = Data.Find(asked, Top.Section("data") ?? Top);
        var shape = Fitting(path, () => Data.ShapeIn(path));
        CheckBackbone(shape);
        for (var i = 0; i < Strategies.Count; i++) CheckOwnBackbone(Strategies[i], i, shape);
        return path;
    }

    /// <summary>The stream, with its data.</summary>
    /// <param name="path">Where the data are.</param>
    /// <exception cref="UsageException">Data and stream do not fit.</exception>
    public ExperienceStream Load(string path) => Fitting(path, () => Stream.Make(Data.Load(path), Seed));

    /// <summary>What a search may see: no test sample is read.</summary>
    /// <param name="path">Where the data are.</param>
    /// <param name="validation">Share to set aside, where the file sets none aside itself.</param>
    /// <exception cref="UsageException">Data and stream do not fit.</exception>
    public TuningData LoadForTuning(string path, double validation) =>
        Fitting(path, () => Stream.ForTuning(Data.LoadTraining(path), validation, Seed));

    /// <summary>Tells the training samples apart from others, see <see cref="DataFingerprint"/>.</summary>
    /// <param name="path">Where the data are.</param>
    /// <exception cref="UsageException">A file is not there.</exception>
    public string FingerprintOfTraining(string path) => Fitting(path, () => DataFingerprint.Of(path, Data.TrainingFiles(path)));

    /// <summary>Tells the samples, those of training and of tests, apart from others, see <see cref="DataFingerprint"/>.</summary>
    /// <param name="path">Where the data are.</param>
    /// <exception cref="UsageException">A file is not there.</exception>
    public string FingerprintOf(string path) => Fitting(path, () => DataFingerprint.Of(path, Data.Files(path)));

    private T Fitting<T>(string path, Func<T> load)
    {
        try
        {
            return load();
        }
        catch (Exception problem) when (problem is InvalidDataException or FileNotFoundException)
        {
            throw Data.IsAt(path) ? Top.Problem("data", problem.Message, problem) : DataFolder.Wrong(problem.Message, problem);
        }
        catch (ArgumentException problem)
        {
            // Where the stream sets nothing aside, the search does.
            var key = Stream.Validation is null && problem.Message.StartsWith("validation: ", StringComparison.Ordinal) ? "tune" : "stream";
            throw Top.Section(key)?.Refused(problem) ?? Top.Problem(key, problem.Message, problem);
        }
    }

    private void CheckBackbone(IReadOnlyList<long> shape)
    {
        if (Strategies.Any(strategy => strategy.Backbone is null)) Model.CheckFits(Top, shape);
    }

    // Strategies with a backbone of their own are made for some kinds of samples.
    private void CheckOwnBackbone(Strategy strategy, int place, IReadOnlyList<long> shape)
    {
        try
        {
            using var own = ModelSection.OwnBackbone(strategy, shape);
            if (own is not null) Architectures.CheckBackbone(own.Architecture, long.MaxValue, shape);
        }
        catch (Exception problem) when (problem is ArgumentException or FormatException)
        {
            throw Top.Problem(Top.List("strategies")![place], $"strategies[{place}]: \"{strategy.Name}\" has a model of its own: {problem.Message}", problem);
        }
    }

    private static LearnerOptions TrainingOf(YamlSection top)
    {
        if (top.Section("training") is not { } section) return new LearnerOptions();
        section.Expect(TrainingKeys);
        var options = (LearnerOptions)YamlValues.Options(top, "training", top["training"]!, typeof(LearnerOptions));
        try
        {
            options.Validate();
            using var optimizer = options.Optimizer.Build();
            return options;
        }
        catch (ArgumentException problem)
        {
            throw section.Refused(problem);
        }
    }

    private Strategy[] StrategiesOf(YamlSection top)
    {
        var nodes = top.List("strategies") ?? throw top.Problem("strategies", "missing, expected a list of strategies");
        if (nodes.Count == 0) throw top.Problem("strategies", "an empty list, expected one strategy or more");
        var strategies = new List<Strategy>();
        for (var i = 0; i < nodes.Count; i++)
        {
            var strategy = StrategyOf(top, $"strategies[{i}]", nodes[i]);
            if (strategies.Any(earlier => earlier.Name == strategy.Name))
                throw top.Problem(nodes[i], $"strategies[{i}]: \"{strategy.Name}\" is there already, expected another name");
            strategies.Add(strategy);
        }
        return [.. strategies];
    }

    private Strategy StrategyOf(YamlSection top, string path, YamlNode node)
    {
        Strategy strategy;
        if (node is YamlScalarNode { Value: { } name })
        {
            strategy = Retention.Strategies.All.FirstOrDefault(known => known.Name == name)
                ?? throw top.Problem(node, $"{path}: \"{name}\" is unknown, expected one of "
                    + $"{string.Join(", ", Retention.Strategies.All.Select(known => known.Name))}, or keys with values");
            if (!strategy.Scenarios.Contains(Stream.Scenario))
                throw top.Problem(node, $"{path}: \"{name}\" is not made for {YamlValues.Word($"{Stream.Scenario}")} streams, "
                    + $"expected a stream that is {string.Join(" or ", strategy.Scenarios.Select(scenario => YamlValues.Word($"{scenario}")))}");
        }
        else strategy = Composed(top.Below(path, node));
        TryOut(top, path, node, strategy);
        return strategy;
    }

    // A strategy of one's own: mechanisms in order, each with its options.
    private static Strategy Composed(YamlSection section)
    {
        section.Expect("name", "title", "mechanisms");
        var name = section.Value<string?>("name", null) ?? throw section.Problem("name", "missing, expected a name");
        if (name.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '+' or '_')))
            throw section.Problem("name", $"\"{name}\", expected letters, digits, dashes and plus signs");
        var parts = (section.List("mechanisms") ?? throw section.Problem("mechanisms", "missing, expected a list; [] is naive training"))
            .Select((node, i) => Mechanism(section, section.PathOf($"mechanisms[{i}]"), node)).ToArray();
        return new Strategy(name, section.Value("title", name), name, _ => [.. parts.Select(part => part())]);
    }

    private static Func<RetentionMechanism> Mechanism(YamlSection section, string path, YamlNode node)
    {
        var item = node is YamlMappingNode { Children.Count: 1 } ? section.Below(path, node) : null;
        var name = item?.Keys.First() ?? (node as YamlScalarNode)?.Value
            ?? throw section.Problem(node, $"{path}: {YamlSection.Kind(node)}, expected a mechanism, such as ewc or ewc: {{ lambda: 100 }}");
        if (MechanismKind.All.FirstOrDefault(known => known.Name == name) is not { } kind)
            throw section.Problem(node, $"{path}: \"{name}\" is unknown, expected one of {string.Join(", ", MechanismKind.All.Select(known => known.Name))}");
        if (item is not null && kind.OptionsType is null) throw item.Problem(name, "options, expected none, for it has none");
        var options = item is null ? null : YamlValues.Options(item, item.PathOf(name), item[name]!, kind.OptionsType!);
        try
        {
            kind.Create(options).Dispose();
        }
        catch (ArgumentException problem)
        {
            throw item?.Section(name)!.Refused(problem) ?? section.Problem(node, $"{path}.{name}: {problem.Message}", problem);
        }
        return () => kind.Create(options);
    }

    // What a learner would refuse is refused now, with the line.
    private void TryOut(YamlSection top, string path, YamlNode node, Strategy strategy)
    {
        try
        {
            strategy.Check(Training, new StrategyBudget(Memory));
        }
        catch (ArgumentException problem)
        {
            throw top.Problem(node, $"{path}: {problem.Message}", problem);
        }
    }
}
