//! What makes a library of this crate.

/// Brings the library's [`Library`](crate::shim::library::Library), its constructor and its
/// destructor. The value is constant.
#[macro_export]
macro_rules! library {
    ($value:expr) => {
        static LIBRARY: &dyn $crate::shim::library::Library = &$value;

        engine::address_of_static!("interpose_library", LIBRARY);

        extern "C" fn constructor() {
            $crate::hooks::lifecycle::start();
        }

        extern "C" fn destructor() {
            $crate::hooks::lifecycle::leave();
        }

        #[used]
        #[unsafe(link_section = ".init_array")]
        static CONSTRUCTOR: extern "C" fn() = constructor;

        #[used]
        #[unsafe(link_section = ".fini_array")]
        static DESTRUCTOR: extern "C" fn() = destructor;
    };
}
