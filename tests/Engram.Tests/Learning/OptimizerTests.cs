using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Learning;

public class OptimizerTests
{
    private static readonly SubsetSource s_train = SubsetSource.Balanced(TestData.Mnist.Train, 10);

    public static TheoryData<string, OptimizerOptions> All => new()
    {
        { "adam", new AdamOptions { LearningRate = 1e-2 } },
        { "adam with decay", new AdamOptions { LearningRate = 1e-2, WeightDecay = 0.1 } },
        { "adamw", new AdamOptions { LearningRate = 1e-2, WeightDecay = 0.1, Decoupled = true } },
        { "sgd", new SgdOptions { LearningRate = 0.05 } },
        { "sgd with momentum and decay", new SgdOptions { LearningRate = 0.05, Momentum = 0.9, WeightDecay = 0.01 } },
    };

    [Theory]
    [MemberData(nameof(All))]
    public void A_hundred_steps_agree_with_the_librarys_own_optimiser(string what, OptimizerOptions options)
    {
        using var scope = NewDisposeScope();
        using var flat = options.Build();
        CompareWithTorch(what, options, flat, 100, lastGradient: 100);
    }

    // Once no gradient comes any more, as to weights under a pixel that is not lit again, a moment shrinks until rounding stops it at some 5e-45:
    // every step with such a number costs a processor a hundred cycles.
    [Theory]
    [MemberData(nameof(All))]
    public void Moments_end_at_zero_where_gradients_have_ended(string what, OptimizerOptions options)
    {
        using var scope = NewDisposeScope();
        using var flat = (options with { WeightDecay = 0 }).Build();
        CompareWithTorch(what, options with { WeightDecay = 0 }, flat, 1500, lastGradient: 20);
        foreach (var (name, moment) in flat.Moments)
            Assert.All(moment.data<float>().ToArray(), number => Assert.True(number == 0 || float.IsNormal(number), $"{what}, {name}: {number}"));
    }

    private static void CompareWithTorch(string what, OptimizerOptions options, FlatOptimizer flat, int steps, int lastGradient)
    {
        random.manual_seed(1);
        var (ours, theirs) = (new Mlp(8, 6, 4), new Mlp(8, 6, 4));
        using (no_grad())
            foreach (var (a, b) in theirs.parameters().Zip(ours.parameters())) a.copy_(b);
        using var arena = new ParameterArena(ours);
        var (rate, decay) = (options.LearningRate, options.WeightDecay);
        optim.Optimizer own = options switch
        {
            AdamOptions { Decoupled: true } => optim.AdamW(theirs.parameters(), rate, weight_decay: decay),
            AdamOptions => optim.Adam(theirs.parameters(), rate, weight_decay: decay),
            SgdOptions sgd => optim.SGD(theirs.parameters(), rate, momentum: sgd.Momentum, weight_decay: decay),
            _ => throw new InvalidOperationException(what),
        };
        var start = arena.Values.clone();
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            var (x, y, share) = (randn(16, 8), randn(16, 4), tensor(step < lastGradient ? 1f : 0f));
            arena.Gradient.zero_();
            nn.functional.mse_loss(ours.forward(x), y).mul(share).backward();
            flat.Step(arena);
            own.zero_grad();
            nn.functional.mse_loss(theirs.forward(x), y).mul(share).backward();
            own.step();
        }
        Assert.True(arena.Values.sub(start).abs().max().item<float>() > 0.01);
        foreach (var (a, b) in ours.parameters().Zip(theirs.parameters()))
            Assert.True(a.sub(b).abs().max().item<float>() < 1e-6, $"{what}: {a.sub(b).abs().max().item<float>()}");
    }

    private static float[] Learn(LearnerOptions options)
    {
        using var learner = new Learner(() => new ContinualModel(new Mlp(784, 16)), options);
        learner.Teach(new Experience(0, s_train));
        return learner.Context.Arena.Values.data<float>().ToArray();
    }

    private static double Distance(float[] a, float[] b) => Math.Sqrt(a.Zip(b).Sum(p => Math.Pow(p.First - p.Second, 2)));

    [Fact]
    public void Clipping_bounds_the_step_and_leaves_small_gradients_alone()
    {
        var sgd = new LearnerOptions { BatchSize = 100, Optimizer = new SgdOptions { LearningRate = 1 } };
        var start = Learn(sgd with { Optimizer = new SgdOptions { LearningRate = 1e-12 } });
        Assert.InRange(Distance(start, Learn(sgd)), 0.3, 1e3);
        Assert.Equal(0.25, Distance(start, Learn(sgd with { ClipNorm = 0.25 })), 3);
        Assert.Equal(Learn(sgd), Learn(sgd with { ClipNorm = 1e6 }));
    }

    [Fact]
    public void Schedules_give_the_factors_of_their_formulas()
    {
        var steps = new StepSchedule { Milestones = [2, 3], Gamma = 0.1 };
        Assert.Equal([1, 1, 0.1, 0.01], new long[] { 0, 19, 20, 39 }.Select(step => Math.Round(steps.Factor(step, 10, 40), 12)));
        var cosine = new CosineSchedule { Minimum = 0.2 };
        Assert.Equal([1, 0.6], new long[] { 0, 50 }.Select(step => Math.Round(cosine.Factor(step, 10, 100), 12)));
        var warm = new WarmUpSchedule { Steps = 4, Then = new CosineSchedule() };
        Assert.Equal([0.25, 1, 1, 0.5], new long[] { 0, 3, 4, 52 }.Select(step => Math.Round(warm.Factor(step, 10, 100), 12)));
        Assert.Contains("Gamma: 0", Assert.Throws<ArgumentException>(() => Learn(new LearnerOptions { Schedule = new StepSchedule { Gamma = 0 } })).Message);
    }

    [Fact]
    public void A_schedule_changes_training_and_resuming_inside_it_changes_nothing()
    {
        var options = new LearnerOptions { BatchSize = 10, Epochs = 2, Schedule = new WarmUpSchedule { Steps = 5, Then = new CosineSchedule() } };
        var whole = Learn(options);
        Assert.NotEqual(Learn(options with { Schedule = null }), whole);
        using var stop = new CancellationTokenSource();
        var hand = new Retention.Handover(() => new Engram.Retention.Replay()) { StepDone = number => { if (number == 12) stop.Cancel(); } };
        using var learner = new Learner(() => new ContinualModel(new Mlp(784, 16)), options, [hand]);
        Assert.Throws<OperationCanceledException>(() => learner.Learn(new Experience(0, s_train), null, stop.Token));
        learner.Teach(new Experience(0, s_train));
        Assert.Equal(whole, learner.Context.Arena.Values.data<float>().ToArray());
    }
}
