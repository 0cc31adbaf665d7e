using System.Reflection;
using Engram.Analytic;
using Engram.Learning;
using Engram.Memory;
using Engram.Models;
using Engram.Retention;

namespace Engram.Conformance;

/// <summary>What the suite runs: every strategy, and the modes of mechanisms that no strategy uses, in one scenario each.</summary>
internal static class Cases
{
    private static readonly Strategy[] s_modes =
    [
        Mode("ewc, exact labels", Scenario.TaskIncremental, _ =>
            [new ElasticWeightConsolidation(new EwcOptions { Labels = FisherLabels.Exact })]),
        Mode("lwf, summed", Scenario.ClassIncremental, _ =>
            [new LearningWithoutForgetting(new LwfOptions { IncludeNewClasses = true, ScaleBySquaredTemperature = true })]),
        Mode("lwf, by past", Scenario.DomainIncremental, _ =>
            [new LearningWithoutForgetting(new LwfOptions { Weighting = DistillationWeighting.ByPast })]),
        Mode("lfl, free head", Scenario.DomainIncremental, _ => [new LessForgettingLearning(new LflOptions { FreezeHead = false })]),
        Mode("a-gem, by sample", Scenario.DomainIncremental, budget =>
            [new AveragedGradientEpisodicMemory(new AGemOptions { Capacity = budget.Capacity, Balance = BalanceBy.Sample })]),
        Mode("a-gem, by class", Scenario.ClassIncremental, budget =>
            [new AveragedGradientEpisodicMemory(new AGemOptions { Capacity = budget.Capacity, Balance = BalanceBy.Class, PerGroup = 6 })]),
        Mode("der++, by class", Scenario.ClassIncremental, budget =>
            [new DarkExperienceReplay(new DerOptions { Capacity = budget.Capacity, Balance = BalanceBy.Class })]),
        Mode("der, by experience", Scenario.TaskIncremental, budget =>
            [new DarkExperienceReplay(new DerOptions { Capacity = budget.Capacity, Balance = BalanceBy.Experience, Beta = 0 })]),
        Mode("icarl, so many per class", Scenario.ClassIncremental, _ => [new Icarl(new ExemplarOptions { PerClass = 4 })]),
        Mode("il2m, probabilities", Scenario.ClassIncremental, budget =>
            [new Il2m(new Il2mOptions { Capacity = budget.Capacity, Scores = Il2mScores.Probabilities })]),
        Mode("wa, no negative weights", Scenario.ClassIncremental, budget =>
            [Replaying(budget, new ReplayOptions()), new WeightAligning(new WeightAligningOptions { NonNegative = true })]),
        Mode("xdg, with si", Scenario.TaskIncremental, _ => [new ContextDependentGating(), new SynapticIntelligence()]),
        Mode("replay, closest to mean", Scenario.ClassIncremental, budget =>
            [Replaying(budget, new ReplayOptions { Selection = Selection.ClosestToMean })]),
        Mode("replay, online", Scenario.ClassIncremental, budget => [Replaying(budget, new ReplayOptions
            { Online = true, Balance = BalanceBy.Sample, Weighting = ReplayWeighting.ByExperience })]),
        Mode("replay, by experience", Scenario.DomainIncremental, budget =>
            [Replaying(budget, new ReplayOptions { Balance = BalanceBy.Experience, PerGroup = 6 })]),
        Mode("class weights, inverse frequency", Scenario.ClassIncremental, budget =>
            [new ClassWeightedLoss(new ClassWeightedLossOptions { Weighting = ClassWeighting.InverseFrequency, Replayed = true }),
                Replaying(budget, new ReplayOptions())]),
        Mode("logit adjustment, post hoc", Scenario.ClassIncremental, budget =>
            [new LogitAdjustment(new LogitAdjustmentOptions { PostHoc = true }), Replaying(budget, new ReplayOptions())]),
        Mode("decoupled head, from where it is", Scenario.ClassIncremental, budget =>
            [new DecoupledHead(new DecoupledHeadOptions { Capacity = budget.Capacity, Restart = false, Steps = 20 })]),
        Mode("brain-inspired, hard targets", Scenario.ClassIncremental, _ => [new BrainInspiredReplay(new BrainInspiredOptions
            { Widths = [16], Targets = ReplayTargets.Hard, Reconstruction = Reconstruction.Gaussian })]),
        Mode("brain-inspired, T²", Scenario.DomainIncremental, _ =>
            [new BrainInspiredReplay(new BrainInspiredOptions { Widths = [16], SquaredTemperature = true })]),
        Mode("generative classifier, Bernoulli", Scenario.ClassIncremental, budget => [new GenerativeClassifier(new GenerativeClassifierOptions
            { Vae = new VaeOptions { Widths = budget.GeneratorWidths!, LatentSize = 5 }, Likelihood = Reconstruction.Bernoulli })])
            with { Backbone = inputs => new RawInputs(inputs) },
        Mode("slda, prior by counts", Scenario.ClassIncremental, _ => [new StreamingLdaHead(new StreamingLdaHeadOptions { Prior = ClassPrior.Counts })]),
        Mode("fecam, covariances and prior by counts", Scenario.ClassIncremental, _ =>
            [new FeCamHead(new FeCamOptions { Correlation = false, Prior = ClassPrior.Counts })]),
        Mode("ridge, pooled, fixed λ", Scenario.ClassIncremental, _ =>
            [new RidgeHead(new RidgeHeadOptions { Balance = ClassBalance.Pooled, LambdaByValidation = false })]),
        Mode("ranpac, by class", Scenario.ClassIncremental, _ =>
            [new RidgeHead(new RidgeHeadOptions { Balance = ClassBalance.PerClass, RandomFeatures = 30 })]),
        Mode("generative replay, T² or not", Scenario.ClassIncremental, _ => [new GenerativeReplay(new GenerativeReplayOptions
            { Targets = ReplayTargets.Soft, SquaredTemperature = false, Generator = () => new VaeGenerator(new VaeOptions { Widths = [16] }) })]),
    ];

    public static IReadOnlyList<Strategy> All { get; } = [.. Strategies.All, .. s_modes];

    public static Strategy Named(string name) => All.First(strategy => strategy.Name == name);

    public static IReadOnlyList<RetentionMechanism> Mechanisms(Strategy strategy, int budget = 30) =>
        strategy.Create(new StrategyBudget(budget) { GeneratorWidths = [16] });

    /// <summary>The options a mechanism was made with, found where mechanisms keep them; null where it has none.</summary>
    public static object? OptionsOf(RetentionMechanism mechanism, Type type)
    {
        for (var at = mechanism.GetType(); at is not null; at = at.BaseType)
            foreach (var field in at.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                if (type.IsInstanceOfType(field.GetValue(mechanism))) return field.GetValue(mechanism);
        return null;
    }

    private static Replay Replaying(StrategyBudget budget, ReplayOptions options) => new(options with { Capacity = budget.Capacity });

    private static Strategy Mode(string name, Scenario scenario, Func<StrategyBudget, IReadOnlyList<RetentionMechanism>> create) =>
        new(name, name, "", create) { Scenarios = [scenario] };
}
