using Engram.Data;
using Engram.Learning;
using Engram.Memory;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Evaluation.Benchmarks;

/// <summary>
/// Split MNIST as in van de Ven, Tuytelaars and Tolias 2022, "Three types of incremental learning" (Nature Machine
/// Intelligence 4), with the settings of the authors' code.
/// </summary>
/// <remarks>
/// The digits are dealt to the contexts anew by every seed but 0, as in the authors' code. Its published numbers are means
/// over 20 seeds.
/// </remarks>
public sealed class SplitMnist : Benchmark
{
    private const int Contexts = 5;

    /// <inheritdoc/>
    public override string Name => "split-mnist";

    /// <inheritdoc/>
    public override string Title => "Split MNIST";

    /// <inheritdoc/>
    public override string Source =>
        "van de Ven, Tuytelaars and Tolias 2022, \"Three types of incremental learning\", Nature Machine Intelligence 4, table 2";

    /// <inheritdoc/>
    public override string Protocol =>
        "5 contexts of 2 digits, dealt by seed (seed 0: in order); MLP 784-400-400; 2,000 iterations of 128 samples per context, last smaller batch left "
        + "out; Adam 1e-3, its state kept; 100 exemplars per class for methods that store samples; class-incremental: all 10 outputs "
        + "from the start (iCaRL: those seen so far), task-incremental: a head per task, domain-incremental: 2 outputs; "
        + "mean of the test accuracies on all contexts at the end";

    /// <inheritdoc/>
    public override string DataName => "mnist";

    /// <inheritdoc/>
    public override IReadOnlyList<Scenario> Scenarios { get; } =
        [Scenario.TaskIncremental, Scenario.DomainIncremental, Scenario.ClassIncremental];

    /// <inheritdoc/>
    public override int Capacity => 1000;

    /// <inheritdoc/>
    public override IReadOnlyList<BenchmarkMethod> Methods { get; } =
    [
        new("none", "None (naive)", _ => []) { Published = Numbers((84.32, 0.99), (60.13, 1.66), (19.89, 0.02)) },
        new("joint", "Joint", _ => [])
        {
            AtOnce = true,
            Published = Numbers((99.67, 0.03), (98.59, 0.05), (98.17, 0.04)),
        },
        new("ewc", "EWC", scenario => [new ElasticWeightConsolidation(new EwcOptions
            { Lambda = Of(scenario, 1e5, 1e10, 1e9), FisherSamples = null, Labels = FisherLabels.Exact })])
            { Published = Numbers((99.06, 0.15), (63.03, 1.58), (20.64, 0.52)) },
        new("si", "SI", scenario => [new SynapticIntelligence(new SiOptions { C = Of(scenario, 10, 5e4, 5e3) })]),
        new("lwf", "LwF", scenario => [new LearningWithoutForgetting(new LwfOptions
            {
                Temperature = 2,
                IncludeNewClasses = true,
                Weighting = scenario == Scenario.DomainIncremental ? DistillationWeighting.ByPast : DistillationWeighting.Sum,
            })])
            { Published = Numbers((99.60, 0.03), (71.18, 1.42), (21.89, 0.32)) },
        new("dgr", "DGR", _ => [new GenerativeReplay()])
        {
            Scenarios = [Scenario.DomainIncremental, Scenario.ClassIncremental],
            Published = Numbers(null, (95.57, null), (90.35, null)),
        },
        new("bi-r", "BI-R", _ => [new BrainInspiredReplay()])
        {
            Scenarios = [Scenario.DomainIncremental, Scenario.ClassIncremental],
            Published = Numbers(null, (97.26, null), (94.41, null)),
        },
        new("er", "ER (100 per class)", scenario => [new Replay(new ReplayOptions
            { Capacity = 1000, PerGroup = PerGroup(scenario), Weighting = ReplayWeighting.ByExperience, Balance = Groups(scenario) })])
            { Published = Numbers(null, (93.75, null), (88.79, null)) },
        new("a-gem", "A-GEM (100 per class)", scenario => [new AveragedGradientEpisodicMemory(new AGemOptions
            { Capacity = 1000, PerGroup = PerGroup(scenario), Balance = Groups(scenario) })])
            { Published = Numbers((98.54, 0.10), (87.67, 1.33), (65.10, 3.64)) },
        new("icarl", "iCaRL (100 per class)", _ => [new Icarl(new ExemplarOptions { PerClass = 100 })])
            { Scenarios = [Scenario.ClassIncremental], OutputsComeWithClasses = true },
        new("generative-classifier", "Generative classifier", _ => [new GenerativeClassifier()])
        {
            Scenarios = [Scenario.ClassIncremental],
            Backbone = inputs => new RawInputs(inputs),
            Published = Numbers(null, null, (93.82, null)),
        },
    ];

    /// <inheritdoc/>
    public override ExperienceStream Stream(TrainAndTest data, Scenario scenario, long seed)
    {
        RequireClasses(data, Contexts, 10);
        var order = seed == 0 ? [.. Enumerable.Range(0, 10)] : new SeededRandom(seed, "contexts").Permutation(10);
        Label[][] groups = [.. order.Select(digit => (Label)digit).Chunk(10 / Contexts)];
        return scenario switch
        {
            Scenario.TaskIncremental => ExperienceStream.TaskIncremental(data.Train, data.Test, groups),
            Scenario.DomainIncremental => ExperienceStream.DomainIncremental(data.Train, data.Test, groups),
            _ => ExperienceStream.ClassIncremental(data.Train, data.Test, groups),
        };
    }

    /// <inheritdoc/>
    public override LearnerOptions Training(Scenario scenario, long seed) =>
        new() { Iterations = 2000, BatchSize = 128, DropLast = true, Optimizer = new AdamOptions { LearningRate = 1e-3 } };

    /// <inheritdoc/>
    public override ContinualModel Model(Func<int, IncrementalHead>? head) => new(new Mlp(784, 400, 400), head?.Invoke(400) ?? new LinearHead(400, RowStart.UniformFanIn));

    private static double Of(Scenario scenario, double task, double domain, double @class) => scenario switch
    {
        Scenario.TaskIncremental => task,
        Scenario.DomainIncremental => domain,
        _ => @class,
    };

    // The study keeps 100 samples of each digit; where digits share outputs, both digits of a context are one group of 200.
    private static BalanceBy Groups(Scenario scenario) =>
        scenario == Scenario.DomainIncremental ? BalanceBy.Experience : BalanceBy.Class;

    private static int PerGroup(Scenario scenario) => scenario == Scenario.DomainIncremental ? 200 : 100;

    private static Dictionary<Scenario, PublishedNumber> Numbers(
        (double, double?)? task, (double, double?)? domain, (double, double?)? @class)
    {
        var numbers = new Dictionary<Scenario, PublishedNumber>();
        void Add(Scenario scenario, (double Mean, double? Sem)? number)
        {
            if (number is { } given) numbers[scenario] = new PublishedNumber(given.Mean, given.Sem);
        }
        Add(Scenario.TaskIncremental, task);
        Add(Scenario.DomainIncremental, domain);
        Add(Scenario.ClassIncremental, @class);
        return numbers;
    }
}
