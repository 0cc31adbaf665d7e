using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Evaluation.Benchmarks;

/// <summary>A published protocol: data, stream, model, training and methods, with the numbers that its paper reports.</summary>
public abstract class Benchmark
{
    /// <summary>Tells it from every other, for example <c>split-mnist</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Used on the command line: benchmarks of one family are told apart by their scenarios' names.</summary>
    public virtual string Family => Name;

    /// <summary>Used in reports.</summary>
    public abstract string Title { get; }

    /// <summary>The paper.</summary>
    public abstract string Source { get; }

    /// <summary>The protocol in short: what a reader must know to judge a number.</summary>
    public abstract string Protocol { get; }

    /// <summary>The data it needs, by the name of its loader: <c>mnist</c>, <c>cifar-10</c>, ...</summary>
    public abstract string DataName { get; }

    /// <summary>The scenarios it is run in.</summary>
    public abstract IReadOnlyList<Scenario> Scenarios { get; }

    /// <summary>A scenario's name on the command line.</summary>
    /// <param name="scenario">One of <see cref="Scenarios"/>.</param>
    public virtual string NameOf(Scenario scenario) => BenchmarkCell.NameOf(scenario);

    /// <summary>The methods of the paper, in its order.</summary>
    public abstract IReadOnlyList<BenchmarkMethod> Methods { get; }

    /// <summary>Samples that memories may keep in all.</summary>
    public abstract int Capacity { get; }

    /// <summary>The stream of a seed.</summary>
    /// <param name="data">Training and test samples.</param>
    /// <param name="scenario">What is known at test time.</param>
    /// <param name="seed">Decides the order of classes, permutations, ...</param>
    /// <exception cref="ArgumentException">The data do not fit the protocol.</exception>
    /// <exception cref="InvalidDataException">A list that says which samples come when is missing or damaged.</exception>
    public abstract ExperienceStream Stream(TrainAndTest data, Scenario scenario, long seed);

    /// <summary>How every method trains.</summary>
    /// <param name="scenario">What is known at test time.</param>
    /// <param name="seed">Decides weights and order.</param>
    public abstract LearnerOptions Training(Scenario scenario, long seed);

    /// <summary>A new model.</summary>
    /// <param name="head">The head, for a number of features; null for a linear one.</param>
    public abstract ContinualModel Model(Func<int, IncrementalHead>? head);

    /// <summary>A method of the paper, or any strategy of the library.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ArgumentException">There is none of that name; the message lists all.</exception>
    public BenchmarkMethod Method(string name) =>
        Methods.FirstOrDefault(method => method.Name == name)
        ?? (Strategies.All.FirstOrDefault(strategy => strategy.Name == name) is { } strategy
            ? BenchmarkMethod.Of(strategy, Capacity)
            : throw new ArgumentException(
                $"methods: \"{name}\" is unknown, expected some of {string.Join(", ", Methods.Select(method => method.Name))}, "
                + "or of the library's strategies"));

    /// <summary>Requires as many classes as contexts share.</summary>
    /// <param name="data">The data.</param>
    /// <param name="contexts">How many contexts.</param>
    /// <param name="classes">How many classes they share.</param>
    /// <exception cref="ArgumentException">The samples are of fewer.</exception>
    protected static void RequireClasses(TrainAndTest data, int contexts, int classes)
    {
        ArgumentNullException.ThrowIfNull(data);
        var found = data.Train.Codes.ToArray().Distinct().Count();
        if (found < classes)
            throw new ArgumentException($"{contexts} contexts of {classes / contexts} classes need {classes} classes, the data have {found}");
    }

    /// <summary>Runs one cell of the table.</summary>
    /// <param name="cell">Which.</param>
    /// <param name="data">Training and test samples.</param>
    /// <param name="progress">Told on the calling thread, several times a second.</param>
    /// <param name="checkpoints">Where the run keeps its place; null for nowhere.</param>
    /// <param name="cancellationToken">Stops after the step in progress.</param>
    /// <returns>What was measured; null after a cancellation.</returns>
    /// <exception cref="ArgumentException">The method is not made for the scenario, or the data do not fit the protocol.</exception>
    /// <exception cref="InvalidDataException">A file that samples are read from as they are needed is missing or damaged.</exception>
    /// <exception cref="DamagedCheckpointException">The place cannot be gone on from.</exception>
    public StrategyResult? Run(
        BenchmarkCell cell, TrainAndTest data, IProgress<ExperimentProgress>? progress = null,
        ExperimentCheckpoints? checkpoints = null, CancellationToken cancellationToken = default) =>
        Run(cell, StreamOf(cell, data), progress, checkpoints, cancellationToken);

    /// <summary>Runs one cell of the table on its stream.</summary>
    /// <param name="cell">Which.</param>
    /// <param name="stream">What <see cref="StreamOf"/> made for the cell.</param>
    /// <param name="progress">Told on the calling thread, several times a second.</param>
    /// <param name="checkpoints">Where the run keeps its place; null for nowhere.</param>
    /// <param name="cancellationToken">Stops after the step in progress.</param>
    /// <returns>What was measured; null after a cancellation.</returns>
    /// <exception cref="ArgumentException">The method is not made for the scenario.</exception>
    /// <exception cref="InvalidDataException">A file that samples are read from as they are needed is missing or damaged.</exception>
    /// <exception cref="DamagedCheckpointException">The place cannot be gone on from.</exception>
    public StrategyResult? Run(
        BenchmarkCell cell, ExperienceStream stream, IProgress<ExperimentProgress>? progress = null,
        ExperimentCheckpoints? checkpoints = null, CancellationToken cancellationToken = default) =>
        Run(cell, stream, null, progress, checkpoints, cancellationToken);

    /// <summary>Runs one cell and shows its learner after each context.</summary>
    internal StrategyResult? Run(
        BenchmarkCell cell, ExperienceStream stream, Action<Strategy, int, Learner>? experienced, IProgress<ExperimentProgress>? progress,
        ExperimentCheckpoints? checkpoints, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(cell);
        ArgumentNullException.ThrowIfNull(stream);
        var method = Method(cell.Method);
        var inputShape = stream.Experiences[0].Train.InputShape;
        var options = Training(cell.Scenario, cell.Seed) with { Scenario = cell.Scenario, Seed = cell.Seed };
        if (cell.Iterations is { } iterations) options = options with { Iterations = iterations };
        if (cell.Scenario == Scenario.ClassIncremental && !method.OutputsComeWithClasses) options = AllOutputs(options, method, stream);
        if (method.AtOnce)
        {
            options = options with { Iterations = options.Iterations * stream.Experiences.Count };
            stream = stream.AtOnce();
        }
        var results = new Experiment(stream, strategy => ModelOf(strategy, inputShape), options) { Experienced = experienced }
            .Run([method.InScenario(cell.Scenario)], progress, null, checkpoints, cancellationToken);
        return results.Count == 0 ? null : results[0];
    }

    /// <summary>The stream of a cell, of as many samples as it asks for.</summary>
    /// <param name="cell">Which.</param>
    /// <param name="data">Training and test samples.</param>
    /// <exception cref="ArgumentException">The data do not fit the protocol.</exception>
    /// <exception cref="InvalidDataException">A list that says which samples come when is missing or damaged.</exception>
    public ExperienceStream StreamOf(BenchmarkCell cell, TrainAndTest data)
    {
        ArgumentNullException.ThrowIfNull(cell);
        ArgumentNullException.ThrowIfNull(data);
        return Stream(
            cell.PerClass is { } few ? new TrainAndTest(SubsetSource.Balanced(data.Train, few), data.Test.Balanced(few)) : data,
            cell.Scenario, cell.Seed);
    }

    private ContinualModel ModelOf(Strategy strategy, IReadOnlyList<long> inputShape)
    {
        if (strategy.Backbone is not { } build) return Model(strategy.Head);
        var backbone = build((int)inputShape.Aggregate(1L, (product, size) => product * size));
        return new ContinualModel(backbone, strategy.Head?.Invoke(backbone.FeatureCount));
    }

    // Strategies of the library that need outputs to come with their classes say so.
    private static LearnerOptions AllOutputs(LearnerOptions options, BenchmarkMethod method, ExperienceStream stream)
    {
        var all = options with { InitialLabels = [.. stream.Experiences.SelectMany(experience => experience.Classes).Distinct()] };
        var mechanisms = method.Mechanisms(options.Scenario);
        try
        {
            return mechanisms.All(mechanism => mechanism.WhyNot(all) is null) ? all : options;
        }
        finally
        {
            foreach (var mechanism in mechanisms) mechanism.Dispose();
        }
    }
}
