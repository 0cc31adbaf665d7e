using Engram.Analytic;
using Engram.Learning;
using Engram.Memory;
using Engram.Models;

namespace Engram.Retention;

/// <summary>A named way of learning: one mechanism or several that work together.</summary>
/// <param name="Name">Used on the command line, for example <c>replay</c>.</param>
/// <param name="Title">Used in tables and plots.</param>
/// <param name="Summary">What it does, in one sentence.</param>
/// <param name="Create">Makes new mechanisms for one learner.</param>
public sealed record Strategy(
    string Name, string Title, string Summary, Func<StrategyBudget, IReadOnlyList<RetentionMechanism>> Create)
{
    private static readonly Scenario[] s_all =
        [Scenario.ClassIncremental, Scenario.TaskIncremental, Scenario.DomainIncremental];

    /// <summary>The scenarios it is made for.</summary>
    public IReadOnlyList<Scenario> Scenarios { get; init; } = s_all;

    /// <summary>The head it needs, for a number of features; null for a linear one.</summary>
    public Func<int, IncrementalHead>? Head { get; init; }

    /// <summary>The backbone it needs, for a number of inputs; null for any.</summary>
    public Func<int, Backbone>? Backbone { get; init; }

    /// <summary>Refuses what a learner would refuse, before there is one.</summary>
    /// <param name="options">How the learner would train.</param>
    /// <param name="budget">What the strategy may use.</param>
    /// <exception cref="ArgumentException">The mechanisms exclude each other or do not suit the options; the message says why.</exception>
    public void Check(LearnerOptions options, StrategyBudget budget)
    {
        ArgumentNullException.ThrowIfNull(options);
        var mechanisms = Create(budget);
        try
        {
            Composition.Check(mechanisms, options);
        }
        finally
        {
            foreach (var mechanism in mechanisms) mechanism.Dispose();
        }
    }

    /// <summary>Whether it is a yardstick rather than a way of keeping knowledge (naive, joint).</summary>
    public bool IsYardstick { get; init; }
}

/// <summary>What a strategy may use.</summary>
/// <param name="Capacity">Samples a memory may keep.</param>
public sealed record StrategyBudget(int Capacity = 1000)
{
    /// <summary>Width of each hidden layer of a generator; null for the generator's own default.</summary>
    public IReadOnlyList<int>? GeneratorWidths { get; init; }
}

/// <summary>Every strategy by name. Each retention mechanism of the library is in at least one; the conformance suite checks.</summary>
public static class Strategies
{
    private static readonly Scenario[] s_sharedOutputs = [Scenario.ClassIncremental, Scenario.DomainIncremental];

    private static readonly Scenario[] s_taskOnly = [Scenario.TaskIncremental];

    /// <summary>All strategies: yardsticks first, then by family.</summary>
    public static IReadOnlyList<Strategy> All { get; } =
    [
        new("naive", "Naive", "Fine-tunes on new data only; forgets.", _ => []) { IsYardstick = true },
        // λ = 1,000 reached the best final accuracy on 5,000 held-out training digits (100 to 10⁷ tried: 20 to 27 %).
        new("ewc", "EWC", "Holds weights that mattered near their old values.",
            _ => [new ElasticWeightConsolidation()]),
        new("online-ewc", "Online EWC", "Holds weights by one running importance that fades.",
            _ => [new ElasticWeightConsolidation(new EwcOptions { Gamma = 0.95 })]),
        new("si", "SI", "Holds weights whose movement brought earlier losses down.", _ => [new SynapticIntelligence()]),
        new("mas", "MAS", "Holds weights to which the outputs are sensitive.", _ => [new MemoryAwareSynapses()]),
        new("rwalk", "RWalk", "Holds weights by Fisher information and by the loss they saved on their way.",
            _ => [new RiemannianWalk()]),
        new("gem", "GEM", "Turns gradients that would harm any earlier experience.",
            _ => [new GradientEpisodicMemory()]),
        new("a-gem", "A-GEM", "Takes out of the gradient what would harm remembered samples on average.",
            budget => [new AveragedGradientEpisodicMemory(new AGemOptions { Capacity = budget.Capacity })]),
        new("replay", "Replay", "Repeats stored samples beside new ones.",
            budget => [new Replay(new ReplayOptions { Capacity = budget.Capacity })]),
        new("ewc+replay", "EWC + replay", "Repeats stored samples and holds important weights.",
            budget => [new ElasticWeightConsolidation(new EwcOptions { Lambda = 100 }),
                new Replay(new ReplayOptions { Capacity = budget.Capacity })]),
        new("xdg", "XdG", "Gives each task its own random part of the hidden units.",
            _ => [new ContextDependentGating()]) { Scenarios = s_taskOnly },
        new("xdg+ewc", "XdG + EWC", "Gates hidden units by task and holds important weights.",
            _ => [new ContextDependentGating(), new ElasticWeightConsolidation()]) { Scenarios = s_taskOnly },
        new("packnet", "PackNet", "Prunes after each task and freezes what is left.",
            _ => [new PackNet()]) { Scenarios = s_taskOnly },
        new("progressive", "Progressive networks", "Gives each task a column that reads the older, frozen ones.",
            _ => [new ProgressiveNetworks()]) { Scenarios = s_taskOnly, Backbone = inputs => new ProgressiveMlp(inputs, 100, 100) },
        new("cwr", "CWR*", "Learns the last layer afresh and consolidates it row by row.",
            _ => [new CopyWeightsReinit()]) { Scenarios = s_sharedOutputs },
        // Distillation, exemplars and bias correction.
        new("lwf", "LwF", "Must go on saying of old classes what it said before.",
            _ => [new LearningWithoutForgetting(new LwfOptions { Weighting = DistillationWeighting.ByExperience })]),
        new("lwf+replay", "LwF + replay", "Repeats stored samples and must go on saying of old classes what it said before.",
            budget => [new LearningWithoutForgetting(new LwfOptions { Weighting = DistillationWeighting.ByExperience }),
                new Replay(new ReplayOptions { Capacity = budget.Capacity })]),
        new("lfl", "LFL", "Keeps features and old decision boundaries where they were.",
            _ => [new LessForgettingLearning()])
            { Scenarios = [Scenario.DomainIncremental, Scenario.TaskIncremental, Scenario.ClassIncremental] },
        new("icarl", "iCaRL", "Keeps exemplars by herding and classifies by their nearest mean.",
            budget => [new Icarl(new ExemplarOptions { Capacity = budget.Capacity })])
            { Scenarios = [Scenario.ClassIncremental] },
        new("bic", "BiC", "Distils, then corrects the bias towards new classes on held-out samples.",
            budget => [new BiasCorrection(new BicOptions { Capacity = budget.Capacity })])
            { Scenarios = [Scenario.ClassIncremental] },
        new("wa", "WA", "Distils and replays, then makes new classes' weights as long as old ones'.",
            budget => [new LearningWithoutForgetting(new LwfOptions { Weighting = DistillationWeighting.ByClasses }),
                new Replay(new ReplayOptions { Capacity = budget.Capacity }), new WeightAligning()])
            { Scenarios = [Scenario.ClassIncremental] },
        new("il2m", "IL2M", "Keeps exemplars, and rectifies old scores by how they were when new.",
            budget => [new Il2m(new Il2mOptions { Capacity = budget.Capacity })])
            { Scenarios = [Scenario.ClassIncremental] },
        new("replay-herding", "Replay (herding)", "Repeats stored samples chosen by herding.",
            budget => [new Replay(new ReplayOptions { Capacity = budget.Capacity, Selection = Selection.Herding })]),
        new("mir", "MIR", "Repeats the stored samples that the coming step would hurt most.",
            budget => [new Replay(new ReplayOptions
                { Capacity = budget.Capacity, Retrieval = Retrieval.MaximallyInterfered })]),
        new("gss", "GSS", "Keeps samples whose gradients point in different directions.",
            budget => [new Replay(new ReplayOptions { Capacity = budget.Capacity, Selection = Selection.GradientBased })]),
        new("er-ace", "ER-ACE", "Replay whose new classes do not push the scores of old ones down.",
            budget => [new ErAce(new ReplayOptions { Capacity = budget.Capacity, Online = true })])
            { Scenarios = s_sharedOutputs },
        new("der", "DER", "Asks for the logits given when samples were stored.",
            budget => [new DarkExperienceReplay(new DerOptions { Capacity = budget.Capacity, Beta = 0 })]),
        new("der++", "DER++", "Asks for the stored logits and for the stored labels.",
            budget => [new DarkExperienceReplay(new DerOptions { Capacity = budget.Capacity })]),
        new("gdumb", "GDumb", "Trains from scratch on a greedily balanced memory alone.",
            budget => [new GDumb(new GDumbOptions { Capacity = budget.Capacity })]) { Scenarios = s_sharedOutputs },
        new("class-weights+replay", "Class weights + replay", "Replay with the loss of rare classes weighed up.",
            budget => [new ClassWeightedLoss(), new Replay(new ReplayOptions { Capacity = budget.Capacity })]),
        new("logit-adjustment+replay", "Logit adjustment + replay", "Replay with class priors taken out of the loss.",
            budget => [new LogitAdjustment(), new Replay(new ReplayOptions { Capacity = budget.Capacity })]),
        new("threshold-moving+replay", "Threshold moving + replay", "Replay with class priors taken out of predictions.",
            budget => [new ThresholdMoving(), new Replay(new ReplayOptions { Capacity = budget.Capacity })]),
        new("balanced-batches+replay", "Balanced batches + replay", "Rare classes repeated as often as frequent ones, with replay.",
            budget => [new BalancedBatches(), new Replay(new ReplayOptions
                { Capacity = budget.Capacity, Retrieval = Retrieval.Balanced })]),
        new("decoupled-head+replay", "Decoupled head + replay", "Replay, then the head alone on balanced samples.",
            budget => [new DecoupledHead(new DecoupledHeadOptions { Capacity = budget.Capacity }),
                new Replay(new ReplayOptions { Capacity = budget.Capacity })]) { Scenarios = s_sharedOutputs },
        // Closed forms over features that stay as they are: the network learns in the first experience only, or not at all.
        new("ncm", "NCM", "Freezes the network after the first experience, then takes the nearest class mean.",
            _ => [new NearestMeanHead()]) { Scenarios = s_sharedOutputs },
        new("slda", "Streaming LDA", "Freezes the network after the first experience, then Gaussian classes of one covariance.",
            _ => [new StreamingLdaHead()]) { Scenarios = s_sharedOutputs },
        new("fecam", "FeCAM", "Freezes the network after the first experience, then a covariance for every class.",
            _ => [new FeCamHead()]) { Scenarios = s_sharedOutputs },
        new("ranpac", "RanPAC", "Freezes the network after the first experience, then ridge regression over random features, λ = 1 or by validation samples.",
            _ => [new RidgeHead(new RidgeHeadOptions { RandomFeatures = 1000 })]) { Scenarios = s_sharedOutputs },
        // λ was chosen on 5,000 training digits set aside, see docs/methods/ridge.md.
        new("ridge", "Ridge over patches", "Ridge regression over patches of the first images, λ = 1e-4 or by validation samples; trains no network.",
            _ => [new RidgeHead(new RidgeHeadOptions { Lambda = 1e-4 })])
            { Scenarios = s_sharedOutputs, Backbone = _ => new PatchBackbone(1, new PatchOptions { Filters = 32 }) },
        // Generative memory: no stored sample.
        new("dgr", "Generative replay", "Repeats what a generator of its own makes, labelled by the previous model.",
            budget => [new GenerativeReplay(new GenerativeReplayOptions { Generator = () => new VaeGenerator(VaeOf(budget)) })])
            { Scenarios = s_sharedOutputs },
        new("dgr-distil", "Generative replay + distillation", "Repeats generated samples with the previous model's probabilities.",
            budget => [new GenerativeReplay(new GenerativeReplayOptions
                { Targets = ReplayTargets.Soft, Generator = () => new VaeGenerator(VaeOf(budget)) })]) { Scenarios = s_sharedOutputs },
        new("dgr-gan", "Generative replay by a GAN", "Repeats small images that a conditional adversarial network paints, labelled by the previous model.",
            budget => [new GenerativeReplay(new GenerativeReplayOptions { Generator = () => new GanGenerator(GanOf(budget)) })])
            { Scenarios = s_sharedOutputs },
        new("brain-inspired", "Brain-inspired replay", "Repeats what the classifier itself generates through feedback connections.",
            budget => [new BrainInspiredReplay(budget.GeneratorWidths is { } widths
                ? new BrainInspiredOptions { Widths = [.. widths.Reverse()] } : null)]) { Scenarios = s_sharedOutputs },
        new("generative-classifier", "Generative classifier", "Learns one autoencoder per class and asks which finds a sample likeliest.",
            budget => [new GenerativeClassifier(budget.GeneratorWidths is { } widths
                ? new GenerativeClassifierOptions { Vae = new VaeOptions { Widths = widths, LatentSize = 5 } } : null)])
            { Scenarios = [Scenario.ClassIncremental], Backbone = inputs => new RawInputs(inputs) },
        new("compressed-replay", "Compressed replay", "Repeats samples kept as cosine coefficients, a tenth of their bytes.",
            budget => [new CompressedReplay(new CompressedReplayOptions { Capacity = 10 * budget.Capacity })])
            { Backbone = inputs => new CosineMlp([1, Side(inputs), Side(inputs)], 54, 400, 400) },
        new("knn", "Nearest neighbours", "Keeps some samples and lets the nearest ones vote.",
            budget => [new NearestNeighbours(new NeighbourOptions { Capacity = budget.Capacity })])
            { Scenarios = [Scenario.ClassIncremental], Backbone = inputs => new RawInputs(inputs) },
        new("from-scratch", "From scratch", "Trains a new model on each experience alone; keeps nothing.", _ => [new Reinitialise()])
            { IsYardstick = true },
        new("cumulative", "Cumulative", "Goes on training on all data so far.", _ => [new Cumulative()])
            { IsYardstick = true },
        new("joint", "Joint", "Trains from scratch on all data so far: the upper bound.",
            _ => [new Cumulative(), new Reinitialise()]) { IsYardstick = true },
    ];

    /// <summary>The strategy of a name.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ArgumentException">No strategy has this name; the message lists all.</exception>
    public static Strategy Named(string name) =>
        All.FirstOrDefault(strategy => strategy.Name == name)
        ?? throw new ArgumentException(
            $"strategies: {name} is unknown, expected some of {string.Join(", ", All.Select(strategy => strategy.Name))}");

    private static long Side(int inputs) => (long)Math.Round(Math.Sqrt(inputs)); // of a square grey image

    private static GanOptions? GanOf(StrategyBudget budget) =>
        budget.GeneratorWidths is [.., var last] ? new GanOptions { Widths = [Math.Max(1, last / 2), last] } : null;

    private static VaeOptions? VaeOf(StrategyBudget budget) =>
        budget.GeneratorWidths is { } widths ? new VaeOptions { Widths = widths } : null;
}
