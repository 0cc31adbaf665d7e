namespace Engram.Learning;

/// <summary>Lends torch's global generator to a learner and gives it back as it was: the one place that touches it.</summary>
internal sealed class TorchRandom : IDisposable
{
    private readonly Tensor _outside;

    public TorchRandom(long seed)
    {
        _outside = Now();
        manual_seed(seed);
    }

    public TorchRandom(Tensor state)
    {
        _outside = Now();
        random.set_rng_state(state);
    }

    /// <summary>The generator's state, to go on from later.</summary>
    public static Tensor Now() => Current().DetachFromDisposeScope();

    /// <summary>The generator's state, in the caller's scope.</summary>
    public static Tensor Current() => random.get_rng_state();

    public void Dispose()
    {
        random.set_rng_state(_outside);
        _outside.Dispose();
    }
}
